import type { MqttCarrier } from '../../api/generated/graphql';

/** What carries a session, as people call it. */
export const OVER: Record<MqttCarrier, string> = { TCP: 'TCP', TLS: 'TLS', WEBSOCKET: 'WebSocket' };
