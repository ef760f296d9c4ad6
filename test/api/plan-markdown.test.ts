import { planMarkdown, wantsMarkdown } from '../../api/plan-markdown.ts';
import { aPlan } from '../cli/support/fixtures.ts';
import { by, spec, startService, type Service } from './support/service.ts';

describe('a plan as Markdown', () => {
  test('has a row for each stage, with who must approve, how long it takes and how it is undone', () => {
    const plan = aPlan();
    const text = planMarkdown(plan);
    const rows = text.split('\n').filter((line) => line.startsWith('| '));
    expect(rows).toHaveLength(plan.stages.length + 2);
    expect(text).toContain('| cutover | ✋ 2 × dba, not who started it | ~5ms | readers see amount_cents');
    expect(text).toContain('| backfill |  | ~12s | in place');
    expect(text.match(/\*\*point of no return\*\*/g)).toHaveLength(1);
    expect(text.endsWith(`Plan \`${plan.hash}\`\n`)).toBe(true);
  });

  test.each([
    ['a cell or a row', 'a | b\n| c | d |', 'a \\| b \\| c \\| d \\|'],
    ['HTML', '<img src=x>', '\\<img src=x>'],
    ['emphasis, code and mathematics', '*a* `b` _c_ $d$ ~e~', '\\*a\\* \\`b\\` \\_c\\_ \\$d\\$ \\~e\\~'],
    ['a link', '[a](https://b) www.c.d', '\\[a](https:\u2060//b) www\u2060.c.d'],
    ['a mention or a reference', '@dana #12', '@\u2060dana #\u206012'],
    ['an entity', '&lt;', '&amp;lt;'],
  ])('makes of what a spec names no %s', (_, detail, shown) => {
    const finding = { code: 'NOTE', level: 'noted', detail } as const;
    expect(planMarkdown(aPlan({ findings: [finding] }))).toContain(`- noted \`NOTE\` ${shown}\n`);
  });

  test.each([
    ['text/markdown', true],
    ['application/problem+json, Text/Markdown;q=0.9', true],
    ['application/json, text/event-stream', false],
    ['*/*', false],
    [undefined, false],
  ])('is asked for by accept: %p: %p', (accept, wanted) => {
    expect(wantsMarkdown(accept)).toBe(wanted);
  });

  describe('over HTTP', () => {
    let service: Service;
    beforeAll(async () => {
      service = await startService();
    });
    afterAll(() => service.close());
    const preview = (payload: object, accept: string) =>
      service.app.inject(by('operator', { method: 'POST', url: '/v1/plans', payload, headers: { accept } }));

    test('comes with the hash under which it can be started', async () => {
      const page = await preview(spec(), 'text/markdown');
      expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/markdown; charset=utf-8']);
      const json = await preview(spec(), 'application/json');
      const { plan } = json.json<{ plan: Parameters<typeof planMarkdown>[0] }>();
      expect(page.headers['plan-hash']).toBe(plan.hash);
      expect(json.headers['plan-hash']).toBe(plan.hash);
      expect(page.body).toBe(planMarkdown(plan));
    });

    test('is a problem document all the same when the spec is refused', async () => {
      const answer = await preview(spec({ table: 'nowhere' }), 'text/markdown');
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([
        422,
        expect.stringContaining('application/problem+json'),
      ]);
    });
  });
});
