"""Makes language-table.json: what jinja2 makes of short templates. Run in this folder: python3 make-language-table.py

Made with Python 3.11.7 and jinja2 3.1.6, in the environment that transformers sets up: ImmutableSandboxedEnvironment with trim_blocks,
lstrip_blocks, loop controls, tojson as plain json.dumps, raise_exception and strftime_now; the clock stands still.
"""
import datetime
import json

import jinja2
import jinja2.ext
import jinja2.sandbox

NOW = datetime.datetime(2024, 2, 29, 15, 4, 5, 678901)

VARIABLES = {
    "s": "Hello World", "u": "Zoë 🚢 ß", "t": "  two  words\n", "q": "it's", "n": 7, "m": -7, "f": 2.5, "big": 123456789012345678901234567890,
    "yes": True, "no": False, "nil": None, "l": [3, 1, 2], "w": ["b", "A", "c", "a"], "e": [], "d": {"b": 1, "a": [True, None], "é": "x"},
    "people": [{"name": "Ann", "age": 30, "tags": ["x"]}, {"name": "bob", "age": 25, "tags": []}, {"name": "Cid", "age": 30, "extra": {"k": 1}}],
    "tree": [{"n": 1, "c": [{"n": 2, "c": []}, {"n": 3, "c": [{"n": 4, "c": []}]}]}], "html": "<b>&\"'</b>", "lines": "l1\nl2\r\n\nl4",
}

TEMPLATES = r"""
{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 // -2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 0.5 }}
{{ 1 / 3 }} {{ 10 / 5 }} {{ 1e16 }} {{ 1e15 }} {{ 1e-5 }} {{ 0.0001 }} {{ 123456.789 }} {{ 1e100 }} {{ 5e-324 }} {{ 1.7976931348623157e308 }}
{{ -0.0 }} {{ 0.1 + 0.2 }} {{ 100.0 }} {{ 1_000 }} {{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1_0.5_0 }} {{ 1e3 }} {{ 2E+2 }}
{{ big }} {{ big + 1 }} {{ big * big }} {{ big // 7 }} {{ big % 7 }} {{ -big }} {{ big / 3 }}
{{ true + true }} {{ true * 3 }} {{ -true }} {{ +true }} {{ true == 1 }} {{ true is sameas true }} {{ 1 is sameas 1 }}
{{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ (-2) ** 2 }} {{ 1 ~ 2 ~ none ~ [1] }} {{ 'a' 'b' "c" }}
{{ 1 < 2 < 3 }} {{ 1 < 2 > 3 }} {{ 'a' < 'B' }} {{ [1, 2] < [1, 3] }} {{ (1, 2) == (1, 2) }} {{ (1, 2) == [1, 2] }} {{ 1 == 1.0 }} {{ '🚢' > '￿' }}
{{ not 1 == 2 }} {{ not yes or yes }} {{ 1 in [1, 2] and 3 not in [1, 2] }} {{ 'a' in 'abc' }} {{ 'x' in d }} {{ 'b' in d }} {{ '' in 'abc' }}
{{ 'x' if yes }}|{{ 'x' if no }}|{{ 'x' if no else 'y' if no else 'z' }}|{{ (1 if no) is defined }}
{{ [] }} {{ {} }} {{ () }} {{ (1,) }} {{ 1, 2 }} {{ [1, [2, (3, 'a')]] }} {{ {'a': 1, 2: none, none: [true], 1.5: ''} }} {{ [missing] }}
{{ ['it\'s', "say \"x\"", 'both \' and "', 'tab\t', 'nl\n', 'back\\', 'é', '\x07', '\x7f', '\u200b', '\U0001F6A2', '\xa0'] }}
{{ '\x41\u00e9\101\0\q' }}|{{ "\a\b\f\v\r" | tojson }}|{{ 'a\
b' }}
{{ l[0] }}{{ l[-1] }}{{ l[5] }}{{ l['x'] }}{{ l.0 }}{{ l[1:] }}{{ l[:-1] }}{{ l[::-1] }}{{ l[::2] }}{{ l[-2:] }}{{ l[5:] }}{{ l[2:0:-1] }}{{ l[none:2] }}
{{ s[0] }}{{ s[-1] }}{{ s[1:4] }}{{ s[::-1] }}{{ s[::3] }}{{ u[4] }}{{ u[3:6] }}{{ u|length }}{{ s[-100:3] }}{{ s[3:100] }}{{ s[5:2] }}
{{ (1, 2, 3)[1:] }}{{ range(5)[2] }}{{ range(5)[1:3] | list }}{{ range(3) }}{{ range(1, 10, 3) | list }}{{ range(5, 0, -2) | list }}{{ range(0) | list }}
{{ d.b }} {{ d['a'] }} {{ d.missing }} {{ d.a.1 }} {{ d.get('b') }} {{ d.get('z') }} {{ d.get('z', 5) }} {{ d.items() }} {{ d.keys() }} {{ d.values() }}
{{ d.items() | list }} {{ d.keys() | length }} {% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %} {% for k in d %}{{ k }}{% endfor %} {{ d.copy() }}
{{ {'items': 5}['items'] }} {{ {'items': 5}.items() | list }} {{ {'k': 1}.k }} {{ {1: 'a'}[1] }} {{ {1: 'a'}[1.0] }} {{ {1: 'a'}[true] }}
{{ dict(a=1, b=2) }} {{ dict({'x': 1}, y=2) }} {{ dict([('p', 1)]) }}
{{ namespace(a=1).a }} {% set ns = namespace(x=1, y='z') %}{{ ns }} {{ ns.x }} {{ ns['y'] }} {{ ns.q is defined }} {% set ns.x = ns.x + 1 %}{{ ns.x }}
{% set a, b = 1, 2 %}{{ a }}{{ b }} {% set (c, d) = [3, 4] %}{{ c }}{{ d }} {% set x = 1, 2 %}{{ x }}
{% set x %}block {{ n }}{% endset %}[{{ x }}] {% set x | upper %}up{% endset %}{{ x }} {% set x | replace('a', 'b') | trim %} aaa {% endset %}{{ x }}.
{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }};{% endfor %}
{% for x in w %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {{ loop.cycle('odd', 'even') }} {% endfor %}
{% for x in [1, 1, 2, 2, 1] %}{{ loop.changed(x) }} {% endfor %}
{% for x in l if x > 1 %}{{ x }}{{ loop.length }}{% else %}none{% endfor %} {% for x in l if x > 9 %}{{ x }}{% else %}none{% endfor %}
{% for x in e %}{% else %}empty{% endfor %}{% for x in missing %}{% else %}undef{% endfor %}{% for c in 'aé🚢' %}{{ c }}.{% endfor %}
{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}
{% for o in [1, 2] %}{% for i in [1, 2, 3] %}{% if i == 2 %}{% break %}{% endif %}{{ o }}{{ i }} {% endfor %}{{ loop.index }}{% endfor %}
{% for n in tree recursive %}{{ n.n }}{{ loop.depth }}{% if n.c %}({{ loop(n.c) }}){% endif %}{% if not loop.last %},{% endif %}{% endfor %}
{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %} {% for a, b in ['xy', 'zw'] %}{{ b }}{{ a }}{% endfor %}
{% for x in (1, 2) %}{{ x }}{% endfor %} {% for x in 1, 2 %}{{ x }}{% endfor %} {% for x in d %}{{ loop.last }}{% endfor %}
{% set a = 1 %}{% for x in l %}{{ a }}{% set a = x %}{{ a }} {% endfor %}{{ a }} {% if yes %}{% set a = 9 %}{% endif %}{{ a }}
{% macro m(a, b=2, c='z') %}{{ a }}{{ b }}{{ c }};{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(1, c=4) }}{{ m(b=1, a=0) }}{{ m() }}{{ m.name }}{{ m.arguments }}
{% macro m(a, b=a ~ '!') %}{{ a }}{{ b }}{% endmacro %}{{ m('x') }} {% macro v(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ v(1, 2, 3, k=4) }} {{ v(*[1, 2], **{'z': 3}) }}
{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(4) }}
{% macro box(t) %}[{{ t }}:{{ caller() }}]{% endmacro %}{% call box('x') %}in{{ n }}{% endcall %} {% macro each(l) %}{% for x in l %}{{ caller(x, loop.index) }}{% endfor %}{% endmacro %}{% call(x, i) each(w) %}<{{ x }}{{ i }}>{% endcall %}
{% macro m(caller=none) %}{{ caller }}{% endmacro %}{{ m(5) }}
{% set o = 1 %}{% macro h() %}{{ o }}{% endmacro %}{{ h() }}{% set o = 2 %}{{ h() }} {% macro g() %}{% set o = 5 %}{{ o }}{% endmacro %}{{ g() }}{{ o }}
{% with a = 1, b = 2 %}{{ a + b }}{% set c = 3 %}{% endwith %}{{ a is defined }}{{ c is defined }} {% with %}{% set z = 1 %}{{ z }}{% endwith %}{{ z is defined }}
{% filter upper %}abc{% endfilter %} {% filter replace('a', 'x') | indent(2) %}a
b{% endfilter %}
{% if 0 %}a{% elif '' %}b{% elif [] %}c{% elif {} %}d{% elif none %}e{% elif missing %}f{% elif 0.0 %}g{% else %}h{% endif %}
{% if s and n or nil %}1{% endif %}{% if not (no or nil) %}2{% endif %}{{ nil or 'x' }}{{ 0 and 1 }}{{ '' or [] }}
{# comment #}a{#- x -#} b {# multi
line #}
c{# x #}
d
{% raw %}{{ x }} {% y %} {# z #}{% endraw %}|{%- raw -%}  {{ a }}  {%- endraw -%}  |
  {% if yes %}
    indented
  {% endif %}
tail
a  {%- if yes -%}  b  {%- endif -%}  c
  {%+ if yes +%}
x
  {%+ endif %}
a {{- ' b ' -}} c {{ 'd' -}}
   e
{{ 'x' }}
{{ 'y' }}{% if yes %}

{% endif %}
{{ s.upper() }} {{ s.lower() }} {{ s.title() }} {{ s.capitalize() }} {{ s.swapcase() }} {{ 'straße'.upper() }} {{ 'ΑΣ'.lower() }} {{ 'İ'.lower() | length }} {{ "they're bill's".title() }} {{ 'ßa'.capitalize() }} {{ 'ﬁx'.title() }}
{{ t.strip() }}|{{ t.lstrip() }}|{{ t.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'abcba'.strip('ab') }}|{{ 'xxa'.lstrip('x') }}|{{ ' a '.strip(none) }}|{{ ' b '.strip() }}|{{ 'aé'.rstrip('é') }}
{{ 'a,b,,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ ' a  b '.split() }} {{ ' a  b c '.split(none, 1) }} {{ 'a  b c'.split(maxsplit=1) }} {{ ''.split() }} {{ ''.split('x') }} {{ 'aXXbXXc'.split('XX') }}
{{ 'a,b,c'.rsplit(',', 1) }} {{ ' a  b c '.rsplit(none, 1) }} {{ 'a b'.rsplit() }} {{ 'abc'.rsplit('x', 1) }} {{ ' a '.rsplit(none, 5) }} {{ 'a  b'.rsplit(' ', 1) }} {{ 'x y '.split(none, 5) }} {{ 'x y '.split(none, 0) }} {{ ' x y '.rsplit(none, 0) }}
{{ lines.splitlines() }} {{ lines.splitlines(true) }} {{ 'a\n'.splitlines() }} {{ ''.splitlines() }} {{ 'a b'.splitlines() }}
{{ 'a.b.c'.partition('.') }} {{ 'abc'.partition('.') }} {{ 'a.b.c'.rpartition('.') }} {{ 'abc'.rpartition('.') }}
{{ 'hello'.replace('l', 'L') }} {{ 'hello'.replace('l', 'L', 1) }} {{ 'ab'.replace('', '-') }} {{ 'ab'.replace('', '-', 2) }} {{ ''.replace('', 'x') }} {{ 'aaa'.replace('aa', 'b') }} {{ 'abc'.replace('b', '') }} {{ 'hello'.replace('l', 'L', 0) }}
{{ s.startswith('He') }} {{ s.startswith(('x', 'H')) }} {{ s.endswith('ld') }} {{ s.endswith(('a', 'd')) }} {{ s.startswith('ello', 1) }} {{ s.startswith('') }} {{ s.endswith('o', 0, 5) }} {{ 'a'.startswith('', 5) }}
{{ s.find('o') }} {{ s.find('o', 5) }} {{ s.rfind('o') }} {{ s.find('zz') }} {{ s.index('W') }} {{ s.rindex('l') }} {{ u.find('ß') }} {{ s.find('o', -4) }} {{ s.find('', 20) }} {{ s.count('l') }} {{ s.count('l', 4) }} {{ 'aaaa'.count('aa') }} {{ 'abc'.count('') }}
{{ 'x'.center(5) }}| {{ 'ab'.center(5, '*') }}| {{ 'abc'.center(6, '*') }} {{ 'x'.ljust(3) }}|{{ 'x'.rjust(3, '.') }}|{{ '42'.zfill(5) }} {{ '-42'.zfill(5) }} {{ '+'.zfill(3) }} {{ 'a\tb'.expandtabs() }} {{ 'ab\tc'.expandtabs(4) }}
{{ 'abc'.isalpha() }}{{ 'ab1'.isalnum() }}{{ '12'.isdigit() }}{{ '²'.isdigit() }}{{ '²'.isdecimal() }}{{ '½'.isnumeric() }}{{ ' \t'.isspace() }}{{ ''.isspace() }}{{ 'Ab Cd'.istitle() }}{{ 'AB1'.isupper() }}{{ 'ab'.islower() }}{{ '1'.islower() }}{{ 'a_1'.isidentifier() }}{{ 'é'.isascii() }}
{{ '-'.join(['a', 'b']) }} {{ ''.join([]) }} {{ ', '.join(w) }} {{ '.'.join('abc') }} {{ 'unhappy'.removeprefix('un') }} {{ 'a.txt'.removesuffix('.txt') }} {{ 'a'.removesuffix('') }}
{{ '{} {}'.format(1, 'a') }} {{ '{1} {0}'.format('a', 'b') }} {{ '{x}-{y:>5}|'.format(x=1, y='r') }} {{ '{:05d} {:+d} {:,} {:x} {:#b} {:o}'.format(42, 5, 1234567, 255, 5, 8) }} {{ '{{}}'.format() }} {{ '{!r} {!s}'.format('q', 'q') }}
{{ '{:.2f} {:8.3f}| {:e} {:g} {:g} {:.3g} {:%} {:.1%} {:f}'.format(3.14159, 2.71828, 12345.678, 0.0001, 1e20, 1234.5, 0.25, 0.1234, 1) }} {{ '{:<6}|{:^6}|{:>6}|{:*^7}'.format('a', 'b', 'c', 'd') }} {{ '{:.3}'.format('abcdef') }} {{ '{}'.format(none) }} {{ '{0[a]} {1[0]} {0.a}'.format({'a': 5}, [6]) }} {{ '{:{}}|'.format('a', 4) }}
{{ '%s is %d and %.2f %5s|%-5s| %05d %x %X %o %e %g %c %r %%' % ('a', 3, 2.5, 'r', 'l', 42, 255, 255, 8, 1234.5, 0.5, 'z', 'q') }} {{ '%s' % 5 }} {{ '%(k)s %(n)03d' % {'k': 'v', 'n': 7} }} {{ '%+d % d' % (5, 5) }} {{ '%s' % [1, 2] }} {{ '%*d' % (5, 42) }} {{ '%.*f' % (1, 2.55) }} {{ 'x' % () }} {{ '%s' % ('a',) }} {{ '%s %s' | format('a', 1) }} {{ '%(a)s' | format(a=2) }} {{ '%d' % 3.99 }} {{ '%#x' % 255 }}
{{ 'ab' * 3 }} {{ 3 * 'ab' }} {{ [1] * 2 }} {{ 'ab' * 0 }} {{ 'ab' * -1 }} {{ [1] + [2] }} {{ (1,) + (2,) }} {{ 'a' + 'b' }} {{ (1, 2) * 2 }}
{{ s | upper }} {{ s | lower }} {{ 'hello wORLD-foo (bar) [x] don\'t' | title }} {{ s | capitalize }} {{ t | trim }}| {{ 'xxaxx' | trim('x') }} {{ 5 | upper }} {{ none | lower }} {{ 'a\nb' | title }}
{{ s | length }} {{ l | count }} {{ d | length }} {{ e | length }} {{ missing | length }} {{ s | wordcount }} {{ 'foo' | center(9) }}| {{ s | reverse }} {{ l | reverse | list }} {{ s | first }} {{ s | last }} {{ l | first }} {{ l | last }} {{ e | first }} {{ e | last }}
{{ missing | default('x') }} {{ nil | default('x') }} {{ '' | default('x', true) }} {{ nil | d('y', boolean=True) }} {{ missing | default }} {{ 0 | default(5, true) }} {{ d.zz | default([1]) }}
{{ l | join }} {{ l | join(', ') }} {{ people | join('|', attribute='name') }} {{ [1, none, true, 2.5] | join('-') }} {{ 'abc' | join('.') }} {{ missing | join(',') }}
{{ l | sort }} {{ l | sort(reverse=true) }} {{ w | sort }} {{ w | sort(case_sensitive=true) }} {{ people | sort(attribute='age') | map(attribute='name') | list }} {{ people | sort(attribute='age,name') | map(attribute='name') | join }} {{ 'bca' | sort }} {{ [2, 1.5, true] | sort }} {{ [[2, 1], [1, 9]] | sort }}
{{ d | dictsort }} {{ {'b': 2, 'A': 3, 'c': 1} | dictsort }} {{ {'b': 2, 'A': 3, 'c': 1} | dictsort(true) }} {{ {'b': 2, 'A': 3, 'c': 1} | dictsort(by='value') }} {{ {'b': 2, 'A': 3} | dictsort(reverse=true) }} {{ {'b': 2, 'A': 3} | dictsort(false, 'value', true) }}
{{ [1, 2, 1, 3, 2] | unique | list }} {{ w | unique | list }} {{ ['a', 'A', 'b'] | unique | list }} {{ ['a', 'A'] | unique(case_sensitive=true) | list }} {{ people | unique(attribute='age') | map(attribute='name') | list }} {{ [1, 1.0, true] | unique | list }}
{{ l | min }} {{ l | max }} {{ w | min }} {{ w | max }} {{ people | max(attribute='age') }} {{ e | min }} {{ l | sum }} {{ people | sum(attribute='age') }} {{ l | sum(start=10) }} {{ [[1], [2]] | sum(start=[]) }} {{ [1.5, 2] | sum }} {{ e | sum }}
{% for g in people | groupby('age') %}{{ g.grouper }}:{{ g.list | map(attribute='name') | join(',') }};{% endfor %} {% for age, list in people | groupby('age') %}{{ age }}{{ list | length }}{% endfor %} {{ people | groupby('extra.k', default=0) | map('first') | list }}
{{ l | map('string') | list }} {{ w | map('upper') | join(',') }} {{ people | map(attribute='name') | list }} {{ people | map(attribute='extra', default='-') | list }} {{ people | map(attribute='name.0') | list }} {{ ['a-b'] | map('replace', '-', '+') | list }} {{ [[1, 2], [3]] | map('length') | list }} {{ [1.567] | map('round', 1) | list }}
{{ l | select | list }} {{ l | select('gt', 1) | list }} {{ l | select('odd') | list }} {{ l | reject('odd') | list }} {{ [0, '', none, 1] | select | list }} {{ [0, '', none, 1] | reject | list }} {{ people | selectattr('age', 'eq', 30) | map(attribute='name') | list }} {{ people | rejectattr('age', '>', 26) | list }} {{ people | selectattr('extra') | list | length }} {{ people | selectattr('extra', 'defined') | list | length }} {{ people | rejectattr('tags', 'undefined') | list | length }} {{ people | selectattr('name', 'in', ['Ann']) | list | length }} {{ missing | select | list }} {{ none | select | list }}
{{ '3' | int }} {{ ' 3 ' | int }} {{ 'x' | int }} {{ 'x' | int(5) }} {{ 'x' | int(3, 99) }} {{ 1.2.3 }} {{ 3.9 | int }} {{ -3.9 | int }} {{ '3.7' | int }} {{ '0x1f' | int(0, 16) }} {{ '101' | int(base=2) }} {{ none | int }} {{ true | int }} {{ '1_000' | int }} {{ [] | int(7) }} {{ '1e3' | int }} {{ '-5' | int }} {{ '٣' | int }} {{ 'inf' | int }} {{ '0x1f' | int }}
{{ '2.5' | float }} {{ 3 | float }} {{ 'x' | float }} {{ 'x' | float(1.5) }} {{ '1e5' | float }} {{ 'inf' | float }} {{ '-inf' | float }} {{ 'nan' | float }} {{ none | float }} {{ '.5' | float }} {{ '5.' | float }} {{ '1_0.5' | float }}
{{ 2.5 | round }} {{ 3.5 | round }} {{ 2.567 | round(2) }} {{ 2.1 | round(method='ceil') }} {{ 2.9 | round(0, 'floor') }} {{ 7 | round }} {{ 1234 | round(-2) }} {{ 2.675 | round(2) }} {{ -2.5 | round }} {{ 1234.5 | round(-2) }} {{ 0.12345 | round(3, 'ceil') }} {{ -0.4 | round }} {{ 15 | round(-1) }} {{ 25 | round(-1) }}
{{ -5 | abs }} {{ 5.5 | abs }} {{ -0.0 | abs }} {{ true | abs }} {{ (-5.5) | abs }}
{{ 'l1\nl2\n\nl4' | indent }} | {{ 'a\nb' | indent(2, true) }} | {{ 'a\n\nb' | indent(2, blank=true) }} | {{ 'a\nb' | indent('> ') }} | {{ '' | indent }} | {{ 'a\n' | indent(1) }}|
{{ 'foo bar baz qux' | truncate(9) }} {{ 'foo bar baz qux' | truncate(9, true) }} {{ 'foo bar baz qux' | truncate(11) }} {{ 'foo bar baz qux' | truncate(11, false, '..', 0) }} {{ 'foobarbaz' | truncate(5, leeway=0) }}
{{ [1, 2, 3, 4, 5] | batch(2) | list }} {{ [1, 2, 3] | batch(2, '-') | list }} {{ [1, 2, 3, 4, 5] | slice(2) | list }} {{ [1, 2, 3, 4, 5] | slice(3, '-') | list }} {{ e | batch(2) | list }}
{{ html | e }} {{ html | escape }} {{ html | safe }} {{ html | e | e }} {{ html | e | forceescape }} {{ 'a<' + (html | safe) }} {{ (html | safe) + '<' }} {{ html | safe ~ '<' }} {{ (html | e).upper() }} {{ (html | safe) | replace('<', '[') }} {{ ('<' | safe) * 2 + '<' }} {{ [html | safe] }} {{ ('%s<' | safe) % '<' }} {{ ('{}<' | safe).format('<') }} {{ ('<' | safe).join(['<', '>']) }} {{ (html | safe)[0:3] + '<' }} {{ html | safe | upper + '<' }}
{{ d | items | list }} {{ missing | items | list }} {% for k, v in d | items %}{{ k }}{{ v }}{% endfor %} {{ d | list }} {{ 'abc' | list }} {{ {'a': 1} | attr('items') is callable }} {{ d | attr('b') }}
{{ d | tojson }} {{ [1, 2.0, 1e20, 1e-7, none, true, 'a"\\/\n\t\x01\x7f é🚢 </script>'] | tojson }} {{ {} | tojson }}{{ [] | tojson }} {{ (1, 2) | tojson }} {{ {1: 2, 1.5: 3, true: 4, none: 5} | tojson }} {{ big | tojson }} {{ 'x' | tojson }} {{ html | tojson }}
{{ d | tojson(indent=2) }} {{ [[], {}, [1]] | tojson(indent=1) }} {{ d | tojson(ensure_ascii=true) }} {{ '🚢\x7f' | tojson(true) }} {{ d | tojson(separators=(',', ':')) }} {{ {'b': 1, 'a': 2} | tojson(sort_keys=true) }} {{ [1] | tojson(indent='--') }} {{ [1] | tojson(indent=0) }} {{ {'a': [1]} | tojson(indent=4, separators=(',', ': ')) }} {{ (html | safe) | tojson }}
{{ 1 is defined }}{{ x is undefined }}{{ nil is none }}{{ 1 is number }}{{ 1.5 is float }}{{ 1 is integer }}{{ true is integer }}{{ true is number }}{{ true is boolean }}{{ 'a' is string }}{{ d is mapping }}{{ l is sequence }}{{ 'a' is sequence }}{{ d is sequence }}{{ l is iterable }}{{ 1 is iterable }}{{ (l | map('string')) is iterable }}{{ (l | map('string')) is sequence }}{{ d.items() is sequence }}{{ range(2) is sequence }}
{{ 3 is odd }}{{ 4 is even }}{{ 6 is divisibleby 3 }}{{ 6 is divisibleby(4) }}{{ 1 is eq 1 }}{{ 1 is ne 1 }}{{ 1 is lt 2 }}{{ 1 is ge 2 }}{{ 1 is in [1] }}{{ 1 is not in [1] }}{{ 'ab' is lower }}{{ 'AB' is upper }}{{ 'upper' is filter }}{{ 'nope' is filter }}{{ 'odd' is test }}{{ (html | safe) is escaped }}{{ html is escaped }}{{ range is callable }}{{ 1 is callable }}{{ 1 is true }}{{ true is true }}{{ false is false }}{{ 0 is false }}{{ none is sameas none }}
{{ 1 is not none and 2 is not none }} {{ not x is defined }} {{ x is defined or 1 is defined }} {{ 5 is divisibleby 5 and yes }} {{ 'a' is in 'abc' }} {{ 1 == 1 is true }} {{ s is string and s is not mapping }} {{ -1 is odd }}
{{ missing }}|{{ missing is none }}|{{ missing == missing2 }}|{{ missing == none }}|{{ missing ~ 'x' }}|{{ missing | list }}|{{ missing | string }}|{{ missing | upper }}|{{ 'a' in missing }}|{{ missing | trim }}|{{ not missing }}|{{ [missing, 1] | select('defined') | list }}|{{ missing != 1 }}
{{ cycler('a', 'b').next() }} {% set c = cycler(1, 2) %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }} {% set j = joiner('; ') %}{{ j() }}a{{ j() }}b
{{ strftime_now('%Y-%m-%d %H:%M:%S %f') }} {{ strftime_now('%a %A %b %B %d %j %U %W %w %y %I %p %%') }} {{ strftime_now('%-d %-m %-H %-I %e %k %l') }} {{ strftime_now('%D %F %T %R %x %X %c') }} {{ strftime_now('%G %V %u %g %C %h %n%t%r %P') }}
{{ [1, 2, 3].index(2) }} {{ [1, 2, 1].count(1) }} {{ (1, 2).index(2) }} {{ l.copy() }}
{% generation %}x{% set q = 1 %}{% endgeneration %}{{ q }}
{% print n %}{% print 1, 2 %}
{{ s.upper().lower().title()[0:3] | upper | lower }} {{ (s | upper).lower() }} {{ {'f': s}.f.upper() }} {{ l | first + 1 }} {{ 'a' ~ 1 + 2 ~ 'b' }} {{ 10 - 2 - 3 }} {{ 2 * 3 % 4 }} {{ 100 / 10 / 2 }} {{ not not yes }} {{ - - 5 }}
{{ people[0].tags[0] }} {{ people[0]['name'][0] }} {{ people | length > 2 }} {{ (people | first).name }} {{ people[-1].extra.k }} {{ people.0.name }} {{ people[0].nope.nope2 if no }}
{{ s.nope is defined }} {{ s._x is defined }} {{ s.__class__ is defined }} {{ d.__class__ is defined }} {{ l.append is defined }}
""".strip("\n")

FAILING = r"""
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1.0 % 0 }}
{{ 'a' + 1 }}
{{ 1 + 'a' }}
{{ [1] + (1,) }}
{{ none + 1 }}
{{ 'a' - 'b' }}
{{ 'a' * 'b' }}
{{ -'a' }}
{{ 'a' < 1 }}
{{ none < 1 }}
{{ {} < {} }}
{{ missing.x }}
{{ missing['x'] }}
{{ missing() }}
{{ missing + 1 }}
{{ missing < 1 }}
{{ d.zz.yy }}
{{ l[9].x }}
{{ 1 in 5 }}
{{ 1 in 'abc' }}
{{ [] in d }}
{{ {[]: 1} }}
{{ 5 | length }}
{{ none | length }}
{{ (l | map('string')) | length }}
{{ (l | map('string')) | tojson }}
{{ d.items() | tojson }}
{{ missing | tojson }}
{{ {(1, 2): 3} | tojson }}
{{ x | nofilter }}
{{ x is notest }}
{{ s.nomethod() }}
{{ s() }}
{{ l.append(1) }}
{{ d.update({}) }}
{{ d.pop('b') }}
{{ d.setdefault('q', 1) }}
{% set d.b = 1 %}
{% set s.b = 1 %}
{% for a, b in [[1]] %}{% endfor %}
{% for a, b in [1] %}{% endfor %}
{% for x in 5 %}{% endfor %}
{% for x in none %}{% endfor %}
{% set a, b = [1] %}
{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{% endmacro %}{{ m(b=1) }}
{% macro m(a) %}{% endmacro %}{{ m(1, a=2) }}
{% macro m() %}{% endmacro %}{% call m() %}{% endcall %}
{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}
{{ raise_exception('no') }}
{{ 'abc'.index('z') }}
{{ 'a'.split('') }}
{{ 'a'.split(1) }}
{{ ''.join([1]) }}
{{ 'a'.replace('a') }}
{{ 'a'.center(5, 'xx') }}
{{ '%d' % 'a' }}
{{ '%s %s' % 'a' }}
{{ '%s' % (1, 2) }}
{{ '%q' % 1 }}
{{ '{} {}'.format(1) }}
{{ '{'.format(1) }}
{{ '{0} {}'.format(1, 2) }}
{{ '{:d}'.format('a') }}
{{ l[::0] }}
{{ range(1, 10, 0) }}
{{ range(1000000) }}
{{ 1 + 2 ~ 3 + 4 }}
{% set y, = [5] %}
{% macro m(caller) %}{{ caller }}{% endmacro %}
{{ people | map(attribute='tags.0') | list }}
{{ [1, 'a'] | sort }}
{{ ['a', 1] | min }}
{{ {'a': 1, 1: 2} | dictsort }}
{{ ['a'] | sum }}
{{ 'x' | round }}
{{ 'a' | abs }}
{{ s | upper(1) }}
{{ s | truncate(1) }}
{{ 1 is divisibleby 0 }}
{{ 'a' is odd }}
{{ 1 is divisibleby }}
{{ namespace(1) }}
{{ dict(1) }}
{{ cycler() }}
{{ l | map | list }}
{{ l | map('nofilter') | list }}
{{ l | select('notest') | list }}
{{ l | selectattr | list }}
{{ [5] | items | list }}
{{ 'a' | items | list }}
{{ (l | map('string')) | last }}
{{ loop.index }}
{% for x in l %}{{ loop(l) }}{% endfor %}
{{ l.index(9) }}
{{ nil.x.y }}
{{ nil() }}
{{ 1.5.x() }}
{{ strftime_now() }}
{{ s.startswith(1) }}
{{ s[1, 2].x }}
{{ n[1:] }}
{{ f | tojson(indent=1.5) }}
{% if x is %}{% endif %}
{{ }}
{% %}
{{ 1 2 }}
{{ (1 }}
{{ [1, }}
{{ {'a' 1} }}
{{ a b }}
{{ 'a }}
{{ 1 | }}
{{ | upper }}
{{ 1 + }}
{{ * }}
{{ a. }}
{{ a[] }}
{{ f(a=1, 2) }}
{{ f(**a, b) }}
{{ 1 is defined is defined }}
{{ not }}
{{ 'a' if }}
{{ @ }}
{{ a & b }}
{{ a ! b }}
{% if %}{% endif %}
{% if 1 %}
{% if 1 %}{% else %}{% else %}{% endif %}
{% if 1 %}{% endfor %}
{% for %}{% endfor %}
{% for x %}{% endfor %}
{% for x in %}{% endfor %}
{% for x in l %}
{% for 1 in l %}{% endfor %}
{% for loop in l %}{% endfor %}
{% endfor %}
{% set %}
{% set x %}
{% set 1 = 2 %}
{% set true = 2 %}
{% set x = %}
{% macro %}{% endmacro %}
{% macro m %}{% endmacro %}
{% macro m(a=1, b) %}{% endmacro %}
{% macro m(1) %}{% endmacro %}
{% call 5 %}{% endcall %}
{% filter %}{% endfilter %}
{% nosuchtag %}
{% break %}
{% continue %}
{# x
{% raw %}x
{{ 1 }
{% if 1 }
{% else %}
{% block x %}{% endblock %}{% block x %}{% endblock %}
{% include 'x' %}
{% import 'x' as y %}
{% extends 'x' %}
{% do 1 %}
{% with a %}{% endwith %}
""".strip("\n")


def environment():
    class Generation(jinja2.ext.Extension):
        tags = {"generation"}

        def parse(self, parser):
            line = next(parser.stream).lineno
            body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
            return jinja2.nodes.CallBlock(self.call_method("_render"), [], [], body).set_lineno(line)

        def _render(self, caller):
            return caller()

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda format: NOW.strftime(format)
    return env


MULTI = {  # templates of several lines: their first lines in TEMPLATES are joined with so many that follow
    "{{ '\\x41\\u00e9": 1, "{% filter upper %}abc": 1, "{# comment #}a": 3, "  {% if yes %}": 3, "  {%+ if yes +%}": 2,
    "a {{- ' b ' -}} c": 1, "{{ 'x' }}": 3,
}


def templates():
    lines = TEMPLATES.split("\n")
    i = 0
    while i < len(lines):
        more = max([n for begin, n in MULTI.items() if lines[i].startswith(begin)], default=0)
        yield "\n".join(lines[i:i + more + 1])
        i += more + 1


def main():
    env = environment()
    cases = []
    problems = []
    for template in templates():
        try:
            cases.append({"template": template, "expected": env.from_string(template).render(**VARIABLES)})
        except Exception as e:
            problems.append(f"{template}\n  {type(e).__name__}: {e}")
    for template in FAILING.split("\n"):
        try:
            text = env.from_string(template).render(**VARIABLES)
            problems.append(f"does not fail: {template} -> {text!r}")
        except Exception as e:
            cases.append({"template": template, "fails": f"{type(e).__name__}: {e}"})
    if problems:
        raise SystemExit("\n".join(problems))
    with open("language-table.json", "w", encoding="utf-8") as out:
        json.dump({"now": NOW.isoformat(), "variables": VARIABLES, "cases": cases}, out, ensure_ascii=True, indent=1)
        out.write("\n")


main()
