'use strict';
(() => {
  const { text, rows } = JSON.parse(document.getElementById('data').textContent);
  // The columns of a row, as Go writes them. Those with a * hold indexes of text.
  const columns = 'id name *outcome *wave *group step *before *after *cohort *act *stage *code *reason request also earlier';
  const column = {};
  columns.split(' ').forEach((name, i) => { column[name.replace('*', '')] = name[0] === '*' ? (r) => text[r[i] || 0] : (r) => r[i] || ''; });
  const triesOf = 'outcome cohort act stage code reason'.split(' ');

  // Whom somebody should look at comes first, and is shown in full.
  const order = ['rollback-incomplete', 'unknown', 'rolled-back', 'refused', 'skipped', 'not-started'];
  const rank = (r) => (order.indexOf(column.outcome(r)) + order.length + 1) % (order.length + 1);
  const loud = (r) => rank(r) < 5 && !(column.outcome(r) === 'rolled-back' && column.act(r) === 'put-back');
  const weight = (r) => rank(r) + (loud(r) ? 0 : order.length);
  rows.sort((a, b) => weight(a) - weight(b)); // stable: otherwise in the order of the plan

  const $ = (id) => document.getElementById(id);
  const all = (selector) => document.querySelectorAll(selector);
  const size = 50;
  let found = rows, first = 0, outcome = '';

  // Everything that comes from a cloud goes in as text, never as markup.
  const make = (tag, className, ...children) => {
    const e = document.createElement(tag);
    e.className = className;
    e.append(...children);
    return e;
  };
  const words = (s) => s.replaceAll('-', ' ');

  const whole = (r) => Object.values(column).slice(0, 14).map((f) => f(r)).join('\n').toLowerCase()
    + (r[15] || []).map((t) => '\n' + text[t[1]] + '\n' + text[t[5]]).join('').toLowerCase();
  const ofCohort = (r, id) => column.cohort(r) === id || (r[15] || []).some((t) => text[t[1]] === id);

  // A word is looked for everywhere; field:value is exact.
  function search() {
    const tests = $('find').value.split(/\s+/).filter(Boolean).map((word) => {
      const [, field, value] = /^(\w+):(.*)$/.exec(word) || [];
      if (field === 'cohort') return (r) => ofCohort(r, value);
      if (column[field]) return (r) => column[field](r) === value;
      const low = word.toLowerCase();
      return (r) => whole(r).includes(low);
    });
    if (outcome) tests.push((r) => column.outcome(r) === outcome);
    found = tests.length ? rows.filter((r) => tests.every((t) => t(r))) : rows;
    first = 0;
    show();
  }

  function details(r) {
    const list = make('dl', '');
    const add = (name, value) => { if (value) list.append(make('dt', '', name), make('dd', '', value)); };
    const by = (cohort, act) => [cohort, words(act)].filter(Boolean).join(', ');
    const story = (stage, code, reason) => [stage && 'at ' + stage, code, reason].filter(Boolean).join(': ');
    add('why', story(column.stage(r), column.code(r), column.reason(r)));
    (r[14] || []).forEach((i) => add('also', text[i]));
    add('request', column.request(r));
    if (column.cohort(r)) add('cohort', by(column.cohort(r), column.act(r)));
    add('group', column.group(r));
    (r[15] || []).forEach((t) => {
      const [was, cohort, act, stage, code, reason] = triesOf.map((_, i) => text[t[i]]);
      add('earlier', [words(was), by(cohort, act), story(stage, code, reason), t[6] && 'request ' + t[6]].filter(Boolean).join(' · '));
    });
    const cell = make('td', column.outcome(r), list);
    cell.colSpan = 6;
    return make('tr', 'more', cell);
  }

  function line(r) {
    const member = make('td', '', make('code', '', column.id(r)));
    if (column.name(r) && column.name(r) !== column.id(r)) member.append(make('div', 'faint', column.name(r)));
    const group = make('td', 'group', make('code', '', column.group(r)));
    group.title = column.group(r);
    const o = column.outcome(r);
    const row = make('tr', 'main', member, make('td', 'outcome', make('i', 'dot ' + o), words(o)),
      make('td', 'plain', column.wave(r)), group, make('td', 'before', ...column.before(r).split('\n').flatMap((f) => [f, make('br', '')]).slice(0, -1)),
      make('td', 'plain', column.after(r)));
    let more;
    const toggle = () => {
      if (more) { more.remove(); more = undefined; } else { more = details(r); row.after(more); }
      row.classList.toggle('open', !!more);
    };
    row.addEventListener('click', () => { if (!String(getSelection())) toggle(); });
    return [row, toggle];
  }

  function show(count = size) {
    const page = found.slice(first, first + count);
    $('rows').replaceChildren();
    for (const r of page) {
      const [row, toggle] = line(r);
      $('rows').append(row);
      if (loud(r)) toggle();
    }
    const n = (i) => i.toLocaleString('en');
    $('where').textContent = page.length ? `${n(first + 1)} to ${n(first + page.length)} of ${n(found.length)}` : 'nobody';
    $('previous').disabled = first === 0;
    $('next').disabled = first + count >= found.length;
  }

  function turn(by) {
    first += by;
    show();
    $('members').scrollIntoView({ block: 'start' });
  }

  $('find').addEventListener('input', search);
  $('previous').addEventListener('click', () => turn(-size));
  $('next').addEventListener('click', () => turn(size));
  all('[data-outcome]').forEach((chip) => chip.addEventListener('click', () => {
    outcome = outcome === chip.dataset.outcome ? '' : chip.dataset.outcome;
    all('[data-outcome]').forEach((c) => c.setAttribute('aria-pressed', c.dataset.outcome === outcome));
    search();
  }));
  all('[data-find]').forEach((e) => e.addEventListener('click', () => {
    $('find').value = e.dataset.find;
    search();
    $('members').scrollIntoView({ block: 'start' });
  }));
  addEventListener('beforeprint', () => { show(1000); all('details').forEach((d) => { d.open = true; }); });
  addEventListener('afterprint', () => show());
  show();
})();
