using System.Diagnostics;
using System.Text.Json;
using LangTrain.Modeling.ChatTemplates;

namespace LangTrain.Modeling.Tests.ChatTemplates;

public class ChatTemplateTests
{
    private const string Simple = "{% for m in messages %}\n{{ m.role }}: {{ m.content }}\n{% endfor %}";

    [Fact]
    public void Blocks_are_trimmed_as_published_templates_expect()
    {
        var template = ChatTemplate.Parse("  {% if true %}\nyes\n  {% endif %}\nend");
        Assert.Equal("yes\nend", template.Render(Input("[]")));
    }

    [Theory]
    [InlineData("{{ {'a': '<b> & \\'é\\'', 'n': [1, 2.5, none, true]} | tojson }}", """{"a": "<b> & 'é'", "n": [1, 2.5, null, true]}""")]
    [InlineData("{{ messages[0] | tojson(indent=2) }}", "{\n  \"role\": \"user\",\n  \"content\": \"<x>\"\n}")]
    [InlineData("{{ strftime_now('%d %B %Y, %-d %b') }}", "05 March 2026, 5 Mar")]
    [InlineData("{% for i in range(3) %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}", "02")]
    [InlineData("{{ tools is none }}|{{ missing is defined }}|{{ bos_token is defined }}", "true|false|false")]
    public void Functions_give_what_python_gives(string source, string expected)
    {
        var template = ChatTemplate.Parse(source, time: new At(2026, 3, 5));
        Assert.Equal(expected, template.Render(Input("""[{"role":"user","content":"<x>"}]""")), ignoreCase: true);
    }

    [Theory]
    [InlineData("{% for i in range(100000000) %}x{% endfor %}")]
    [InlineData("{{ ('x' * 90000000) | length }}")]
    [InlineData("{% for a in range(9000) %}{% for b in range(9000) %}{% for c in range(9000) %}{% endfor %}{% endfor %}{% endfor %}")]
    [InlineData("{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}")]
    [InlineData("{% set ns = namespace(s='xxxxxxxxxxxxxxxx') %}{% for i in range(40) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}")]
    public void A_hostile_template_is_stopped_and_does_no_harm(string source)
    {
        var template = ChatTemplate.Parse(source);
        Assert.Throws<ChatTemplateException>(() => template.Render(Input("[]")));
    }

    [Fact]
    public void A_deeply_nested_template_is_an_error_and_not_a_crash()
    {
        // So deep that no thread's stack is enough, however small the frames that the compiler makes.
        var nested = new string('(', 500_000) + "1" + new string(')', 500_000);
        Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse("{{ " + nested + " }}").Render(Input("[]")));
    }

    [Fact]
    public void A_template_that_does_not_parse_is_refused_at_once() =>
        Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse("{% if %}"));

    [Fact]
    public void Many_threads_render_at_once()
    {
        var template = ChatTemplate.Parse(Simple);
        Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            var content = $"text {i}";
            Assert.Equal($"user: {content}\n", template.Render(Input($$"""[{"role":"user","content":"{{content}}"}]""")));
        });
    }

    [Fact]
    public void A_warm_render_takes_less_than_five_milliseconds()
    {
        var template = ChatTemplate.Parse(Simple);
        var input = Input("""[{"role":"user","content":"Hello"},{"role":"assistant","content":"Hi"}]""");
        for (var i = 0; i < 20; i++) template.Render(input);
        // The best of many: other work on the machine must not decide.
        var best = Enumerable.Range(0, 50).Min(_ =>
        {
            var start = Stopwatch.GetTimestamp();
            template.Render(input);
            return Stopwatch.GetElapsedTime(start);
        });
        Assert.True(best < TimeSpan.FromMilliseconds(5), $"{best.TotalMilliseconds} ms");
    }

    [Fact]
    public void Templates_are_found_where_models_keep_them()
    {
        var folder = Directory.CreateTempSubdirectory("langtrain-template-").FullName;
        try
        {
            Assert.Null(ChatTemplate.Load(folder));
            File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """
                {"bos_token": {"content": "<s>"}, "unk_token": "<unk>", "extra_special_tokens": {"image_token": "<img>"}, "chat_template": [{"name": "default", "template": "{{ bos_token }}chat{{ unk_token }}{{ image_token }}"}, {"name": "tool_use", "template": "tools"}]}
                """);
            var named = ChatTemplate.Load(folder)!;
            Assert.Equal("<s>chat<unk><img>", named.Render(Input("[]")));
            Assert.Equal("tools", named.Render(Input("[]") with { Tools = Json("[{}]") }));
            File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), "own file");
            var file = ChatTemplate.Load(folder)!;
            Assert.Equal("own file", file.Render(Input("[]")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static ChatRenderInput Input(string messages) => new(Json(messages));

    private static JsonElement Json(string text)
    {
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }

    private sealed class At(int year, int month, int day) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(year, month, day, 0, 0, 0, TimeSpan.Zero);
    }
}
