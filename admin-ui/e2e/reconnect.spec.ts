import type { WebSocketRoute } from '@playwright/test';
import { measured, publish } from './device';
import { expect, rowOf, test } from './fixtures';

test('after the line was down nothing is missed', async ({ page, hospital, signIn }) => {
  const device = hospital.device(2);
  const start = Date.now() - 20_000;
  let down = false;
  const open = new Set<WebSocketRoute>();
  await page.routeWebSocket(/\/graphql\/ws$/, (socket) => {
    if (down) return socket.close();
    open.add(socket);
    socket.connectToServer();
  });
  await signIn(hospital.person('nurse'));
  await publish(hospital, device, measured(start, 0, { heartRate: 70 }));
  const row = rowOf(page, device.patient);
  await expect(row.locator('[data-sign="HEART_RATE"]')).toContainText('70');

  down = true;
  for (const socket of open) await socket.close();
  await expect(page.getByText('Connection: Reconnecting')).toBeAttached();
  for (let second = 1; second <= 13; second += 3) {
    await publish(hospital, device, measured(start, second, { heartRate: 77, spo2: 84 }));
  }
  await expect(row.locator('[data-sign="HEART_RATE"]')).toContainText('70');

  down = false;
  await expect(page.getByText('Connection: Live')).toBeAttached({ timeout: 30_000 });
  await expect(row.locator('[data-sign="HEART_RATE"]')).toContainText('77');
  await expect(page.getByRole('region', { name: 'New alarms' })).toContainText('Low oxygen saturation');
  await publish(hospital, device, measured(start, 16, { spo2: 97 }));
  await expect(page.getByRole('region', { name: 'New alarms' }).getByRole('article')).toHaveCount(0);
});
