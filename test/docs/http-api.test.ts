import { startService } from '../api/support/service.ts';
import { readPage, rowsOf } from './pages.ts';

test('docs/http-api.md has every route of the API and no other', async () => {
  const service = await startService();
  const description = await service.app.inject({ method: 'GET', url: '/openapi.json' });
  await service.close();
  const { paths } = description.json<{ paths: Record<string, object> }>();
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const told = rowsOf(readPage('docs/http-api.md')).map(([cell = '']) => cell.replaceAll('`', ''));
  expect(told.filter((cell) => /^(GET|POST) /.test(cell)).sort()).toEqual(routes.sort());
});
