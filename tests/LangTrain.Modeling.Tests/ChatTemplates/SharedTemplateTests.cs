using System.Text.Json;
using LangTrain.Modeling.ChatTemplates;
using LangTrain.Modeling.Tests.Tokenizers;

namespace LangTrain.Modeling.Tests.ChatTemplates;

public class SharedTemplateTests
{
    public static IEnumerable<TheoryDataRow<string>> Names => SharedFolder.Names("chat-templates");

    [Theory]
    [MemberData(nameof(Names))]
    public void Text_equals_the_reference(string name)
    {
        var folder = SharedFolder.Require("chat-templates", name);
        var source = File.ReadAllText(Path.Combine(folder, "chat_template.jinja"));
        foreach (var item in SharedFolder.Cases(folder))
        {
            var template = Parse(source, item);
            var input = Input(item);
            if (item.TryGetProperty("error", out var error))
            {
                Assert.Equal(error.GetString(), Assert.Throws<ChatTemplateException>(() => template.Render(input)).Message);
                continue;
            }
            Assert.Equal(item.GetProperty("expected").GetString(), template.Render(input));
        }
    }

    internal static ChatTemplate Parse(string source, JsonElement item) =>
        ChatTemplate.Parse(source, item.GetProperty("bos_token").GetString(), item.GetProperty("eos_token").GetString(), new FixedTime());

    internal static ChatRenderInput Input(JsonElement item) => new(item.GetProperty("messages"))
    {
        Tools = item.TryGetProperty("tools", out var tools) ? tools : null,
        AddGenerationPrompt = item.GetProperty("add_generation_prompt").GetBoolean(),
    };

    private sealed class FixedTime : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2024, 7, 26, 12, 0, 0, TimeSpan.Zero);
    }
}
