"""Writes templates/jinja.json beside this file: statements and expressions of Jinja, with what Hugging Face transformers renders of them.

python3 make_jinja_cases.py templates/jinja.json   (made with transformers 5.12.1, Jinja2 3.1.6)

Expressions are drawn from a small grammar with a fixed seed; what prints an address of memory is left out. Now is 2026-07-04 15:06:07.
"""
import datetime, json, random, re, sys, warnings

warnings.filterwarnings("ignore")
import transformers.utils.chat_template_utils as U


class FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 7, 4, 15, 6, 7)


U.datetime = FixedTime
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Gets \"weather\" & more é <b>", "parameters": {"type": "object", "properties": {"city": {"type": "string", "enum": ["a", "b"], "description": "The city"}, "n": {"type": "number", "default": 1.5}, "tags": {"type": "array", "items": {"type": "string"}}, "u": {"type": ["string", "null"]}}, "required": ["city"]}}}, {"type": "function", "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}}]


def render(template, chat):
    variables = dict(chat.get("vars") or {})
    documents = variables.pop("documents", None)
    try:
        text, _ = U.render_jinja_template(
            conversations=[chat["messages"]], tools=chat.get("tools"), documents=documents, chat_template=template,
            add_generation_prompt=chat.get("agp", False), bos_token="<s>", eos_token="</s>", **variables)
        return {"text": text[0]}
    except Exception as error:
        return {"error": str(error)}


R = random.Random(11)
CTX = dict(messages=[{"role": "user", "content": "Hello World, héllo 😀!", "n": 3, "tags": ["b", "a", "C"]}, {"role": "assistant", "content": " it's \"ok\"\n", "n": -2, "x": None}, {"role": "tool", "content": "", "n": 10}], tools=TOOLS, agp=True, vars={"nums": [3, 1, 2, 10], "fl": [1.5, 2.0, -0.25, 1e20, 1e-7, 100000.0], "words": ["apple", "Banana", "cherry", "apple"], "d": {"b": 2, "a": 1, "Z": [1, {"k": "v"}], "items": "shadow"}, "s": "  The quick brown-fox's\tjump\n", "e": "", "z": 0, "t": True, "nn": None, "nested": {"a": {"b": [10, 20, {"c": "deep"}]}}, "people": [{"name": "Bob", "age": 30, "c": {"x": 1}}, {"name": "alice", "age": 25, "c": {"x": 2}}, {"name": "Carl", "age": 30, "c": {"x": 1}}]})
STR = ["s", "'Abc'", "messages[0].content", "e", "'a,b,,c'", "'x' ~ z", "words[1]", "'ñandú'", "'123'", "'%s|%5d'", "\"it's\"", "'tab\\tnl\\n\\u00e9\\x41'", "messages[0]['role']", "messages[1].content"]
NUM = ["z", "3", "-2", "nums[0]", "fl[0]", "7 // 2", "2 ** 3", "messages|length", "1.0", "0.1 + 0.2", "nums|sum", "10 / 4", "-7 % 3", "7 % -3", "-7 // 2", "fl[3]", "fl[4]", "nums|max", "true + 1", "1_000", "5 % 2 * 3 - 4"]
LST = ["nums", "words", "[1, 'a', none, true, 2.5]", "messages", "s.split()", "range(4)", "range(5, 0, -2)", "(1, 2)", "[]", "d.keys()", "d.items()", "nums[::-1]", "words[1:]", "words[:-1]", "words|sort", "nums|sort(reverse=true)", "people|map(attribute='name')|list", "'abc'|list", "nums[1:10:2]", "d.values()|list", "people|selectattr('age', 'gt', 26)|list", "words|unique|list", "[[1, 2], [3]]"]
DCT = ["d", "messages[0]", "{'a': 1, 'b': [2]}", "{}", "nested", "dict(x=1, y='q')", "{1: 'i', 'k': none}"]
ANY = STR + NUM + LST + DCT + ["none", "true", "false", "undefined_thing", "messages[9]", "d.nope", "nn", "t"]
SF = ["upper", "lower", "title", "capitalize", "trim", "length", "reverse", "list", "first", "last", "string", "replace('l', 'L')", "replace('a', '', 1)", "indent", "indent(2, true)", "indent(width=3, first=true, blank=true)", "default('D')", "default('D', true)", "tojson", "int", "float", "int(7)", "wordcount", "center(20)", "truncate(8)", "truncate(8, true, '')", "e", "safe", "join('-')", "urlencode", "trim('!T ')", "count", "d('x')", "escape|upper", "lower|title"]
NF = ["abs", "int", "float", "round", "round(1)", "round(2, 'floor')", "round(method='ceil')", "string", "tojson", "default(5)", "default(5, true)", "string|length"]
LF = ["length", "first", "last", "join(', ')", "join", "list", "sort|list", "reverse|list", "unique|list", "tojson", "tojson(indent=2)", "string", "map('string')|list", "map('upper')|list", "select|list", "reject|list", "select('string')|list", "reject('none')|list", "batch(2)|list", "batch(3, 'x')|list", "slice(2)|list", "sum", "min", "max", "sort(reverse=true)", "map('length')|list", "select('in', [1, 'a'])|list", "groupby('age')", "map(attribute='name')|join(',')", "map(attribute='role', default='-')|list", "selectattr('name')|list|length", "rejectattr('age', 'equalto', 30)|map(attribute='name')|list", "sum(attribute='age')", "sort(attribute='name')|map(attribute='name')|list", "sort(attribute='age,name')|map(attribute='name')|list", "join(',', attribute='name')", "map(attribute='c.x')|list", "selectattr('c.x', 'eq', 1)|list|length", "tojson(separators=(',', ':'))", "tojson(ensure_ascii=true)", "tojson(sort_keys=true, indent=1)", "count"]
DF = ["length", "items|list", "dictsort", "dictsort(by='value')", "dictsort(reverse=true)", "list", "tojson", "tojson(indent=4)", "string", "first", "dictsort(true)", "join(',')", "tojson(indent=0)"]
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "mapping", "iterable", "sequence", "callable", "odd", "even", "divisibleby 2", "divisibleby(3)", "upper", "lower", "eq 3", "equalto('Abc')", "ne 1", "gt 1", "ge(2)", "lt 5", "le 0", "in [1, 'a', 3]", "in 'abc'", "sameas true", "sameas none", "escaped", "== 3", "!= none", "not none", "not string", "not in [1]", "not defined", "filter", "test", "greaterthan 2", "lessthan(4)"]
SM = ["upper()", "lower()", "strip()", "lstrip()", "rstrip()", "strip('T\\n ')", "rstrip('\\n')", "lstrip('The ')", "split()", "split(' ')", "split(',')", "split(',', 1)", "rsplit(',', 1)", "split(maxsplit=1)", "rsplit(' ', 2)", "rsplit(None, 1)", "replace('a', 'b')", "replace('', '-')", "replace('l', 'L', 1)", "startswith('A')", "endswith(('c', 'd'))", "startswith('b', 1)", "find('b')", "rfind('l')", "find('zz')", "index('b')", "count('l')", "title()", "capitalize()", "swapcase()", "isdigit()", "isalpha()", "isalnum()", "isspace()", "isupper()", "islower()", "istitle()", "isnumeric()", "isdecimal()", "isascii()", "isidentifier()", "zfill(8)", "ljust(8, '.')", "rjust(8)", "center(9, '*')", "splitlines()", "splitlines(true)", "partition(',')", "rpartition(',')", "join(['x', 'y'])", "format(1, 'b')", "removeprefix('A')", "removesuffix('c')", "casefold()", "expandtabs()", "length", "nope", "__class__", "encode", "count('')"]
DM = ["get('a')", "get('zz')", "get('zz', 'def')", "items()", "keys()", "values()", "items()|list", "keys()|list", "a", "b", "items", "nope", "copy()", "pop('a')", "update({})", "get('items')"]
def expr(depth=0):
    k = R.random()
    if depth > 2 or k < .2: return R.choice(ANY)
    if k < .35: return f"{sub(R.choice(STR))}|{R.choice(SF)}"
    if k < .42: return f"({R.choice(NUM)})|{R.choice(NF)}"
    if k < .57: return f"{sub(R.choice(LST + ['people', 'people', 'messages']))}|{R.choice(LF)}"
    if k < .62: return f"{sub(R.choice(DCT))}|{R.choice(DF)}"
    if k < .72: return f"{sub(R.choice(ANY))} is {R.choice(TESTS)}"
    if k < .82: return f"{sub(R.choice(STR))}.{R.choice(SM)}"
    if k < .86: return f"{sub(R.choice(DCT))}.{R.choice(DM)}"
    if k < .93: return f"{sub(expr(depth + 1))} {R.choice(['==', '!=', '<', '<=', '>', '>=', 'in', 'not in', '+', '-', '*', '/', '//', '%', '~', 'and', 'or', '**'])} {sub(expr(depth + 1))}"
    if k < .95: return f"not {expr(depth + 1)}"
    if k < .97: return f"{sub(expr(depth + 1))} if {expr(depth + 1)}" + (f" else {expr(depth + 1)}" if R.random() < .8 else "")
    if k < .985: return f"{sub(R.choice(STR + LST))}[{R.choice(['0', '-1', '1:', ':2', '::2', '::-1', '1:3', '-2:', '9', ':-1', '3::-1', '-1:0:-1', 'z', 't', '2:1'])}]"
    return f"[{expr(depth + 1)}, {expr(depth + 1)}]"
def sub(e): return e if e.replace("_", "").replace(".", "").isalnum() or (e[0] in "'\"[" and e[-1] in "'\"]" and e.count(e[0]) <= 2) else f"({e})"


STM = [
 "{% for k, v in d.items() %}{{ k }}={{ v }}{% if not loop.last %},{% endif %}{% endfor %}", "{% for x in nums if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% else %}none{% endfor %}", "{% for x in [] %}a{% else %}b{% endfor %}",
 "{% for x in nums recursive %}{{ x }}{% endfor %}", "{% for p in [[1,[2,[3]]],4] recursive %}{% if p is iterable %}<{{ loop(p) }}>{% else %}{{ p }}@{{ loop.depth }}{% endif %}{% endfor %}",
 "{% for x in nums %}{{ loop.cycle('a','b') }}{{ loop.changed(x > 2) }}{{ loop.revindex0 }}{% endfor %}", "{% set x %}a{{ 1 }}b{% endset %}[{{ x }}]", "{% set x | upper | trim %} a{{ 1 }}b {% endset %}[{{ x }}]", "{% with a=1, b=2 %}{{ a + b }}{% endwith %}{{ a is defined }}",
 "{% macro m(a, b=2, c=none) %}{{ a }},{{ b }},{{ c }},{{ varargs }},{{ kwargs }}{% endmacro %}{{ m(1) }}|{{ m(1, c=3) }}|{{ m(1,2,3,4,5) }}|{{ m(a=1, zz=9) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m() }}|{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(q=2) }}",
 "{% macro m() %}[{{ caller('z') }}]{% endmacro %}{% call(u) m() %}<{{ u }}>{% endcall %}", "{% macro m() %}{{ caller is defined }}{{ caller() if caller else 'no' }}{% endmacro %}{{ m() }}{% call m() %}x{% endcall %}", "{% set ns = namespace(a=1, b='x') %}{% for i in nums %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c is defined }}",
 "{% set x = 1 %}{% for i in nums %}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}", "{% if false %}{% set q = 1 %}{% endif %}{{ q is defined }}", "{% if true %}{% set q = 1 %}{% endif %}{{ q }}", "{% set a, b = 1, 2 %}{{ b }}{{ a }}{% set (c, d2) = [3, 4] %}{{ c }}{{ d2 }}",
 "{% filter upper|replace('A', 'x') %}abc{% endfilter %}", "{% raw %}{{ not }} {% if %}{% endraw %} end", "{%- raw -%}  {{ x }}  {%- endraw -%}  y", "a\n  {%- raw %}\n  b\n  {% endraw %}\nc", "{# c #}\nx", "  {# c #}\n  x", "  {#- c -#}\n  x", "x  {{- 1 -}}  y", "x  {{ 1 }}  y\n", "x\n\n", "\n  {% if true %}\n  y\n  {% endif %}\n  z", "  {%+ if true %}\n  y\n  {%+ endif %}\n", "{% if true +%}\n y{% endif %}", "a {%- if true -%} \n b {%- endif %} \n c",
 "{{ '{{' }} {{ '%}' }} {{ {'a': {'b': 1}} }}", "{{ {'a': {'b': 1}}['a']['b'] }}", "{{ {'a':1}}}", "{{ 1 if false }}x", "{{ 'a' 'b' }}", "{{ (1,) }}{{ () }}{{ (1, 2) }}{{ 1, 2 }}", "{{ [1, 2,] }}{{ {'a': 1,} }}", "{{ 1 < 2 < 3 }}{{ 1 < 3 < 2 }}{{ 1 == 1.0 == true }}", "{{ not 1 in [1] }}{{ not true or true }}", "{{ -2 ** 2 }}{{ 2 ** 3 ** 2 }}{{ -3|abs }}{{ - -3 }}", "{{ 1 + 2 ~ 3 * 4 }}", "{{ 'a' ~ 1 ~ none ~ true ~ 1.0 ~ [1] }}", "{{ 'a' + 1 }}", "{{ none + 1 }}", "{{ x.y }}", "{{ x.y.z }}", "{{ x }}{{ x is defined }}{{ x|default(1) }}{{ x|length }}", "{% for a in x %}{{ a }}{% endfor %}ok", "{{ x + 1 }}", "{{ x[0] }}", "{{ x() }}", "{{ x == y }}{{ x != 1 }}", "{{ 'a' in x }}", "{{ x in 'abc' }}", "{{ x ~ 'a' }}", "{{ [x, 1] | length }}",
 "{{ nums.append(4) }}", "{{ d.update({'q': 1}) }}", "{{ nums.index(2) }}{{ nums.count(1) }}", "{{ ''.__class__ }}", "{{ 'a'.__len__() }}", "{{ range(3) }}{{ range(1, 10, 3) }}{{ range(3)|list }}", "{{ range(100001) }}", "{{ range(0) }}{{ range(5)[2] }}{{ range(5)|length }}", "{{ dict(a=1, b=2) }}{{ dict([['x', 1]]) }}", "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.next() }}", "{% set j = joiner('|') %}{{ j() }}a{{ j() }}b{{ j() }}c", "{{ d['items'] }}{{ d.get('items') }}", "{{ messages[0].content[0] }}{{ messages[0].content[-2] }}{{ messages[0].content|length }}{{ messages[0].content[::-1] }}", "{{ '😀a'|length }}{{ '😀a'[0] }}{{ '😀a'[1:] }}{{ '😀a'|reverse }}{{ '😀a'|list }}{{ '😀'|center(5) }}|{{ 'a😀b'.find('b') }}",
 "{{ 'x'|safe + '<b>' }}{{ '<a>' + ('x'|safe) }}{{ '<a>' ~ ('x'|safe) }}{{ ['<', 'x'|safe]|join }}", "{{ '<b>'|e }}{{ '<b>'|escape|e }}{{ '<b>'|forceescape }}", "{{ '%s is %d and %.2f%%' % ('a', 3, 2.5) }}{{ '%05d|%-5s|%5s|%x' % (42, 'a', 'b', 255) }}", "{{ '%s' % [1] }}{{ '%s' % 'x' }}{{ '%(a)s' % d }}", "{{ '%s %s'|format('a', 1) }}{{ '%(q)s'|format(q=2) }}", "{{ '{} {}'.format(1, 'a') }}{{ '{0}{1}{0}'.format('x', 'y') }}{{ '{n:>5}|{n:<5}|{n:^5}|{f:.2f}|{f:08.3f}|{i:,}|{i:x}'.format(n='ab', f=3.14159, i=1234567) }}", "{{ '{a[b]} {p.x}'.format(a={'b': 1}, p={'x': 2}) }}", "{{ '{{}} {}'.format(1) }}", "{{ '{!r} {!s}'.format('a', 'b') }}",
 "{% for x in nums %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 10 %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in nums %}{% for y in nums %}{% if y == 2 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}{{ loop.index }}{% endfor %}", "{% macro a(x) %}{% if x > 0 %}{{ x }}{{ a(x - 1) }}{% endif %}{% endmacro %}{{ a(3) }}", "{% set v = 1 %}{% macro g() %}{{ v }}{% endmacro %}{% set v = 2 %}{{ g() }}", "{% for i in [1,2] %}{% macro h() %}{{ i }}{% endmacro %}{{ h() }}{% endfor %}", "{% for i in nums %}{% set q = i %}{% endfor %}{{ q is defined }}", "{% generation %}{% set q = 1 %}{{ q }}{% endgeneration %}{{ q is defined }}", "a {% generation %} b {% endgeneration %} c", "a\n{% generation %}\nb\n{% endgeneration %}\nc", "{%- generation -%} b {%- endgeneration -%} c",
 "{{ people|groupby('age')|map('first')|list }}", "{% for g in people|groupby('age') %}{{ g.grouper }}:{{ g.list|map(attribute='name')|join(',') }};{% endfor %}", "{% for g, l in people|groupby('age') %}{{ g }}:{{ l|length }};{% endfor %}", "{{ fl }}{{ fl|join(' ') }}{{ fl|tojson }}", "{{ 1e3 }}{{ 1.5e-10 }}{{ 123456789012345678.0 }}{{ 0.1 }}{{ 1e16 }}{{ 1e15 }}{{ 3.0 }}{{ -0.0 }}", "{{ 0x1f }}{{ 0b11 }}{{ 0o17 }}", "{{ 5 / 2 }}{{ 4 / 2 }}{{ 5 // 2 }}{{ 5.0 // 2 }}{{ -5 // 2 }}{{ 5 % -3 }}{{ 5.5 % 2 }}", "{{ 1 / 0 }}", "{{ true and 1 }}{{ 0 or 'a' }}{{ '' or none }}{{ none and 1 }}", "{{ true == 1 }}{{ 1 in [true] }}{{ '1' == 1 }}{{ none == false }}{{ [] == () }}{{ [1] == [1.0] }}{{ {'a': 1} == {'a': 1.0} }}", "{{ [1, 2] < [1, 3] }}{{ 'a' < 'B' }}{{ (1, 'a') < (1, 'b') }}", "{{ 1 < 'a' }}", "{{ [3, 'a']|sort }}", "{{ ['b', 'A', 'c']|sort }}{{ ['b', 'A', 'c']|sort(case_sensitive=true) }}", "{{ {'a': 1}.a }}{{ {'a': 1}['a'] }}{{ {1: 2}[1] }}{{ {'a': 1}.b }}", "{{ [1, 2].0 }}{{ [[5]].0.0 }}", "{{ none.x }}", "{{ none.x.y }}", "{{ (1).x }}", "{{ 'abc'.x is defined }}", "{% print 1 %}", "{% for a, b in [[1, 2], [3, 4]] %}{{ a }}{{ b }}{% endfor %}", "{% for a, b in [1] %}{% endfor %}", "{% for (a, b), c in [[[1, 2], 3]] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% if x is not defined and not (y is defined) %}ok{% endif %}", "{{ 'a' if x is defined else 'b' if true else 'c' }}", "{{ loop is defined }}", "{% set loop = 1 %}{{ loop }}", "{{ nope|foo }}", "{{ 1 is foo }}", "{% foo %}", "{% if %}", "{% endif %}", "{{ 1 + }}", "{{ 'a }}", "{{ [1 }}", "{% for %}{% endfor %}", "{% if true %}", "{{ }}", "{% set = 1 %}", "{{ a b }}", "{{ 1 is divisibleby 0 }}", "{% set ns.x = 1 %}", "{% set x = namespace() %}{% set x.y = {'q': [1]} %}{{ x.y.q[0] }}", "{{ namespace(a=1) }}", "{{ messages|selectattr('n', 'defined')|map(attribute='n')|sum }}", "{{ messages|map(attribute='content')|map('trim')|select|join('|') }}", "{{ messages|selectattr('role', 'in', ['user', 'tool'])|list|length }}", "{{ messages | rejectattr('role', 'equalto', 'user') | map(attribute='role') | list }}", "{{ messages|last|attr('role') is defined }}", "{{ (messages|first).role }}{{ (messages|last)['role'] }}", "{{ messages[-1].role }}{{ messages[1:][0].role }}", "{{ messages|map(attribute='role')|unique|join }}", "{{ tools|map(attribute='function')|map(attribute='name')|list }}", "{{ tools[0].function.parameters.properties.keys()|list }}", "{{ tools[0]|tojson(indent=2) }}", "{{ tools|tojson }}", "{% for n, p in tools[0].function.parameters.properties.items() %}{{ n }}:{{ p.type if p.type is string else p.type|join('/') }} {% endfor %}", "{{ s|wordcount }}{{ s.split()|length }}", "{{ '\\u4e16\\U0001f600\\101\\q' }}", "{{ \"a\\\nb\" }}", "{{ 'line1\nline2' }}", "{{ 'a\\\\b\\'c' }}", "{{ ['a\\'b', \"q\\\"\", '\\n\\x00\\u200b\\u00e9'] }}", "{{ 'ǆ'|title }}{{ 'ß'|upper }}{{ 'ΑΣ'|lower }}{{ 'İ'|lower|length }}", "{{ \"hello world's-best (x)\"|title }}{{ \"hello world's\".title() }}", "{{ nums|batch(2)|map('join', '-')|join('|') }}", "{{ words|map('replace', 'a', 'A')|list }}", "{{ words|map('default', 'x')|join }}", "{{ nums|select('odd')|list }}{{ nums|reject('greaterthan', 2)|list }}", "{{ nums|map('string')|join('+') }}={{ nums|sum }}", "{{ d|dictsort(false, 'value') }}", "{{ {'b': 1, 'A': 2}|dictsort }}{{ {'b': 1, 'A': 2}|dictsort(true) }}", "{{ [none, 1]|tojson }}{{ x|tojson }}", "{{ {1: 2, none: 3, true: 4, 1.5: 6}|tojson }}", "{{ (1, 2)|tojson }}", "{{ 'a<b>&\\'\"/'|tojson }}", "{{ '\\x7f\\u2028é😀'|tojson }}{{ '\\x7f\\u2028é😀'|tojson(ensure_ascii=true) }}", "{{ nums|length > 2 and words|length == 4 }}", "{{ messages[0].role|upper ~ ':' ~ messages[0].n }}", "{{ messages[0]['tags'] | join(', ') | upper }}", "{{ ('a', 'b')|join }}{{ {'a': 1}|join }}", "{{ 'abc'|first }}{{ ''|first }}{{ []|last }}{{ []|first is defined }}", "{{ 'a b'|urlencode }}", "{{ 3.7|int }}{{ '3.7'|int }}{{ 'x'|int }}{{ 'x'|int(-1) }}{{ '0x1f'|int(base=16) }}{{ none|int }}{{ true|int }}{{ '  5 '|int }}", "{{ '3'|float }}{{ 'x'|float }}{{ 3|float }}{{ '1e3'|float }}", "{{ 2.5|round }}{{ 3.5|round }}{{ 2.675|round(2) }}{{ 1234.5|round(-2) }}{{ 7|round }}{{ 2.1|round(0, 'ceil') }}",
 "{{ none|map('upper')|list }}{{ none|selectattr('a')|list|length }}{{ 0|reject('odd')|list }}{{ false|rejectattr('x', 'defined')|list }}{{ none|map(attribute='a')|join }}", "{{ {'a': 1}[[1]] is defined }}{{ {'a': 1}[{}] }}", "{{ {'a': 1}.get([1]) }}", "{{ [1] in {'a': 1} }}", "{{ none|list }}", "{{ none|sort }}", "{{ messages|map(attribute='x')|unique|list|length }}",
]


skip = re.compile(r"<generator|object at 0x|<built-in|Undefined|<Macro|bound method|{'")
small = list(STM)
while len(small) < len(STM) + 700:
    expression = expr()
    # Sets of keys, what cannot be hashed, and powers without end are not there; bytes neither.
    if re.search(r"\*\*|is (not )?(test|filter)|encode|keys\(\)", expression):
        continue
    small.append("{{ " + expression + " }}")
cases = []
for template in small:
    case = dict(template=template, **render(template, CTX))
    if not ("text" in case and skip.search(case["text"]) and template not in STM):
        cases.append(case)
with open(sys.argv[1], "w") as file:
    json.dump({"chat": CTX, "cases": cases}, file, ensure_ascii=False, indent=0)
print(len(cases), "cases")
