using System.Text.Json;
using LangTrain.Modeling.ChatTemplates;

namespace LangTrain.Modeling.Tests.ChatTemplates;

/// <summary>A template comes with a model that anybody may upload: whatever it does, the answer is text or a <see cref="ChatTemplateException"/>, soon, and the process lives.</summary>
public sealed class HostileTemplateTests
{
    public static TheoryData<string> Templates =>
    [
        new string('(', 100_000) + "1" + new string(')', 100_000),
        "{{ " + new string('(', 100_000) + "1" + new string(')', 100_000) + " }}",
        "{{ " + new string('[', 100_000) + new string(']', 100_000) + " }}",
        "{{ " + string.Concat(Enumerable.Repeat("not ", 100_000)) + "1 }}",
        "{{ " + new string('-', 100_000) + "1 }}",
        "{{ 1" + string.Concat(Enumerable.Repeat(" + 1", 100_000)) + " }}",
        "{{ 1" + string.Concat(Enumerable.Repeat(" ~ 1", 100_000)) + " }}",
        "{{ x" + string.Concat(Enumerable.Repeat(" and 1", 100_000)) + " }}",
        "{{ 1" + string.Concat(Enumerable.Repeat(" if 1 else 1", 100_000)) + " }}",
        "{{ messages" + string.Concat(Enumerable.Repeat("[0]", 100_000)) + " }}",
        "{{ messages" + string.Concat(Enumerable.Repeat("|list", 100_000)) + " }}",
        "{{ 2 ** 2" + string.Concat(Enumerable.Repeat(" ** 1", 100_000)) + " }}",
        string.Concat(Enumerable.Repeat("{% if 1 %}", 50_000)) + string.Concat(Enumerable.Repeat("{% endif %}", 50_000)),
        string.Concat(Enumerable.Repeat("{% for a in [1] %}", 50_000)) + string.Concat(Enumerable.Repeat("{% endfor %}", 50_000)),
        "{% if 0 %}" + string.Concat(Enumerable.Repeat("{% elif 0 %}", 100_000)) + "{% endif %}",
        "{% set n = namespace(x=[]) %}{% for i in range(100000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}",
        "{% set n = namespace(x=[]) %}{% for i in range(100000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x|tojson }}",
        "{% set n = namespace(x=[], y=[]) %}{% for i in range(100000) %}{% set n.x = [n.x] %}{% set n.y = [n.y] %}{% endfor %}{{ n.x == n.y }}{{ n.x < n.y }}{{ n.x in [n.y] }}",
        "{% set n = namespace(x={}) %}{% for i in range(100000) %}{% set n.x = {'a': n.x} %}{% endfor %}{{ n.x|string|length }}{{ n.x|pprint }}",
        "{% set n = namespace(x=()) %}{% for i in range(100000) %}{% set n.x = (n.x,) %}{% endfor %}{{ {n.x: 1} }}",
        "{% set n = namespace() %}{% set n.x = n %}{{ n.x }}{{ n.x|tojson }}",
        "{% set n = namespace(x='a') %}{% for i in range(100) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x|length }}",
        "{% set n = namespace(x=[1]) %}{% for i in range(100) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x|length }}",
        "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x|tojson|length }}{{ n.x == n.x }}",
        "{{ messages" + string.Concat(Enumerable.Repeat("|map(attribute='role')", 100_000)) + "|list }}",
        "{% set n = namespace(x=messages) %}{% for i in range(100000) %}{% set n.x = n.x|map('upper') %}{% endfor %}{{ n.x|list }}",
        "{% macro m(a) %}{{ m(a) }}{% endmacro %}{{ m(1) }}",
        "{% macro m(a) %}{{ m(a) ~ m(a) }}{% endmacro %}{{ m(1) }}",
        "{% for a in [[1]] recursive %}{{ loop([a]) }}{% endfor %}",
        "{% for i in range(100000) %}{% for j in range(100000) %}{% for k in range(100000) %}{% endfor %}{% endfor %}{% endfor %}",
        "{{ 'a' * 1000000000000 }}", "{{ [1] * 1000000000 }}", "{{ 10 ** 100000000 }}", "{{ 1 ** 1000000000000000 }}", "{{ 0 ** 1000000000000000000 }}", "{{ (-1) ** 9000000000000000000 }}",
        "{{ '%999999999d' % 1 }}", "{{ '{:>999999999}'.format(1) }}", "{{ '%.999999999f' % 1.5 }}", "{{ 'a'.ljust(9999999999) }}", "{{ 'a'.center(999999999)|length }}", "{{ 'a'|center(999999999) }}", "{{ 'a'.zfill(999999999) }}",
        "{{ 'a'|indent(999999999) }}", "{{ ('a\n' * 1000000)|indent(1000000) }}", "{{ '\t'.expandtabs(99999999999) }}", "{{ 'a'.replace('', 'b' * 1000000) }}", "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
        "{{ '%c' % 99999999999 }}", "{{ '%c' % -1 }}", "{{ '%d' % (-9223372036854775807 - 1) }}", "{{ '{:x}'.format(-9223372036854775807 - 1) }}", "{{ (-9223372036854775807 - 1) // -1 }}", "{{ (-9223372036854775807 - 1) % -1 }}", "{{ -(-9223372036854775807 - 1) }}", "{{ (-9223372036854775807 - 1)|abs }}",
        "{% for " + new string('(', 100_000) + "a" + new string(')', 100_000) + " in [1] %}{% endfor %}", "{% set " + new string('(', 100_000) + "a" + new string(')', 100_000) + " = 1 %}",
        "{{ 1|a" + string.Concat(Enumerable.Repeat(".a", 500_000)) + " }}",
        "{{ " + string.Concat(Enumerable.Repeat("'a' ", 500_000)) + " }}",
        "{{ messages.99999999999999999999999999999 }}", "{{ 0x99999999999999999999999999999 }}",
        "{{ 99999999999999999999999999999 }}", "{{ 1e999 }}", "{{ 1e308 * 10 }}", "{{ (1e308 * 10)|int }}", "{{ '%d' % (1e308 * 10) }}", "{{ 'x'|int(99) }}", "{{ 1.5|round(999999999) }}", "{{ 1.5|round(-999999999) }}", "{{ 12345|round(-2, 'floor') }}",
        "{{ range(9223372036854775807, -9223372036854775807, -1) }}", "{{ range(0, 9223372036854775807, 9223372036854775807)|list }}", "{{ [1,2,3][9223372036854775807:] }}", "{{ [1,2,3][::-9223372036854775807] }}", "{{ [1,2,3][::0] }}", "{{ [1][9223372036854775807] }}", "{{ 'abc'[-9223372036854775807 - 1:] }}", "{{ 'abc'[:: -9223372036854775807 - 1] }}",
        "{{ [1,2]|batch(0)|list }}", "{{ [1,2]|batch(99999999999, 0)|list }}", "{{ [1,2]|slice(0)|list }}", "{{ [1,2]|slice(99999999999)|list }}", "{{ 'a b'|wordwrap(0) }}", "{{ 'a b'|truncate(-5) }}", "{{ 'a'|truncate(99999999999999) }}",
        "{{ strftime_now('%' * 1000000) }}", "{{ strftime_now('%Q%-%E') }}", "{{ raise_exception() }}", "{{ raise_exception(1, 2, 3) }}", "{{ messages[0].content.__class__ }}", "{{ ''.__class__.__mro__ }}", "{{ namespace().__init__ }}", "{{ cycler() }}", "{{ dict(1) }}", "{{ dict([1]) }}", "{{ {[]: 1} }}", "{{ {}|dictsort(by='x') }}",
        "{{ '\\ud800' }}", "{{ '\\N{DIGIT ONE}' }}", "{{ '\\x' }}", "{{ '", "{% for", "{#", "{% raw %}", "{%", "{{", "{% endfor %}", "{% set %}", "{% macro %}", "{% call %}", "{% unknown %}", "{{ 1 | unknown }}", "{{ 1 is unknown }}", "{% include 'a' %}", "{% import 'a' as b %}", "{% extends 'a' %}", "{% block a %}{% endblock %}", "\0", "{{ '\0' }}",
        "{{ ('a' * 1000000)|list|join|length }}", "{{ ('a,' * 1000000).split(',')|length }}", "{{ (('ab' * 5000)|list)|sort|join|length }}", "{{ (range(100000)|list) == (range(100000)|list) }}", "{{ ('a' * 100000000)|length }}",
        "{% for i in range(3000) %}{{ ('a' * 60000)|tojson }}{% endfor %}", "{{ ('a ' * 1000000).rsplit()|length }}",
    ];

    [Theory]
    [MemberData(nameof(Templates), DisableDiscoveryEnumeration = true)]
    public void The_answer_comes_soon_and_is_text_or_an_error(string template)
    {
        Exception? failure = null;
        // A thread of its own, so that a rendering without end fails instead of hanging; its stack is that of a pool's thread.
        var rendering = new Thread(() => failure = Record.Exception(() => Render(template)), 1536 * 1024) { IsBackground = true };
        rendering.Start();

        Assert.True(rendering.Join(TimeSpan.FromSeconds(20)), "It does not end.");
        Assert.True(failure is null or ChatTemplateException, failure?.ToString());
    }

    private static void Render(string template)
    {
        using var messages = JsonDocument.Parse("""[{"role":"user","content":"hi"}]""");
        ChatTemplate.Parse(template).Render(new ChatRenderInput(messages.RootElement));
    }
}
