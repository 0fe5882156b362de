import type { ElevationFieldsFragment } from '../../api/generated/graphql';

/** How it stands with a request, in words. */
export const STANDING: Record<ElevationFieldsFragment['standing'], string> = {
  WAITING: 'waits for an answer',
  LAPSED: 'not answered in time',
  WITHDRAWN: 'withdrawn',
  REFUSED: 'refused',
  IN_FORCE: 'let in',
  OVER: 'over',
};
