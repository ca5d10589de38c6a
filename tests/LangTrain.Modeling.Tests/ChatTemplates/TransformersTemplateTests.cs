using System.Text.Json;
using LangTrain.Modeling.ChatTemplates;

namespace LangTrain.Modeling.Tests.ChatTemplates;

/// <summary>What Hugging Face transformers renders: Reference/make_template_cases.py.</summary>
public sealed class TransformersTemplateTests
{
    private static readonly JsonElement s_cases = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Reference", "templates", "cases.json"))).RootElement;

    public static TheoryData<string> Templates => [.. s_cases.GetProperty("templates").EnumerateObject().Select(template => template.Name)];

    [Theory]
    [MemberData(nameof(Templates))]
    public void A_chat_renders_as_in_transformers(string name)
    {
        using ChatTemplate template = ChatTemplate.Parse(s_cases.GetProperty("templates").GetProperty(name).GetString()!, "<s>", "</s>", new FixedTime());
        foreach (JsonElement item in s_cases.GetProperty("cases").EnumerateArray().Where(item => item.GetProperty("template").GetString() == name))
        {
            JsonElement tools = item.GetProperty("tools"), variables = item.GetProperty("variables");
            var input = new ChatRenderInput(item.GetProperty("messages"))
            {
                Tools = tools.ValueKind == JsonValueKind.Null ? null : tools,
                AddGenerationPrompt = item.GetProperty("add_generation_prompt").GetBoolean(),
                Variables = variables.ValueKind == JsonValueKind.Null ? null : variables.EnumerateObject().ToDictionary(pair => pair.Name, pair => pair.Value),
            };
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

    private sealed class FixedTime : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2026, 7, 4, 15, 6, 7, TimeSpan.Zero);
    }
}
