using System.Text.Json;
using LangTrain.Modeling.ChatTemplates;

namespace LangTrain.Modeling.Tests.ChatTemplates;

/// <summary>What Hugging Face transformers renders: Reference/make_template_cases.py and make_jinja_cases.py.</summary>
public sealed class TransformersTemplateTests
{
    private static readonly JsonElement s_cases = Read("cases.json");

    public static TheoryData<string> Templates => [.. s_cases.GetProperty("templates").EnumerateObject().Select(template => template.Name)];

    [Theory]
    [MemberData(nameof(Templates))]
    public void A_chat_renders_as_in_transformers(string name)
    {
        ChatTemplate template = ChatTemplate.Parse(s_cases.GetProperty("templates").GetProperty(name).GetString()!, "<s>", "</s>", new FixedTime());
        foreach (JsonElement item in s_cases.GetProperty("cases").EnumerateArray().Where(item => item.GetProperty("template").GetString() == name))
        {
            ChatRenderInput input = Input(item, "add_generation_prompt", "variables");
            if (item.TryGetProperty("error", out JsonElement error))
            {
                Assert.Equal(error.GetString(), Assert.Throws<ChatTemplateException>(() => template.Render(input)).Message);
            }
            else
            {
                Assert.Equal(item.GetProperty("text").GetString(), template.Render(input));
            }
        }
    }

    /// <summary>Hundreds of statements and expressions: the same text, or an error in both.</summary>
    [Fact]
    public void Jinja_is_what_it_is_in_Python()
    {
        JsonElement all = Read("jinja.json");
        ChatRenderInput chat = Input(all.GetProperty("chat"), "agp", "vars");
        var different = new List<string>();
        foreach (JsonElement item in all.GetProperty("cases").EnumerateArray())
        {
            string source = item.GetProperty("template").GetString()!;
            string? expected = item.TryGetProperty("text", out JsonElement text) ? text.GetString() : null, actual;
            try
            {
                actual = ChatTemplate.Parse(source, "<s>", "</s>", new FixedTime()).Render(chat);
            }
            catch (ChatTemplateException)
            {
                actual = null;
            }

            if (expected != actual)
            {
                different.Add($"{source}: {expected ?? "an error"}, not {actual ?? "an error"}");
            }
        }

        Assert.Empty(different);
    }

    private static JsonElement Read(string file) => JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Reference", "templates", file))).RootElement;

    private static ChatRenderInput Input(JsonElement chat, string prompt, string variables)
    {
        JsonElement? Given(string key) => chat.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
        return new ChatRenderInput(chat.GetProperty("messages"))
        {
            Tools = Given("tools"),
            AddGenerationPrompt = Given(prompt)?.GetBoolean() ?? false,
            Variables = Given(variables)?.EnumerateObject().ToDictionary(pair => pair.Name, pair => pair.Value),
        };
    }

    private sealed class FixedTime : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2026, 7, 4, 15, 6, 7, TimeSpan.Zero);
    }
}
