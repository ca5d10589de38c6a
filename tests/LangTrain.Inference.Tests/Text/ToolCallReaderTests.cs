using LangTrain.Inference.Text;

namespace LangTrain.Inference.Tests.Text;

public class ToolCallReaderTests
{
    private static readonly HashSet<string> Functions = ["weather", "time"];

    [Theory]
    [InlineData("<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>", "", "weather", "{\"city\": \"Rome\"}")]
    [InlineData("Let me look.\n<tool_call>{\"name\":\"weather\",\"arguments\":{}}</tool_call>", "Let me look.", "weather", "{}")]
    [InlineData("{\"name\": \"time\", \"parameters\": {\"zone\": \"UTC\"}}", "", "time", "{\"zone\": \"UTC\"}")]
    [InlineData("<|python_tag|>{\"name\": \"time\", \"parameters\": {}}", "", "time", "{}")]
    [InlineData("[TOOL_CALLS][{\"name\": \"weather\", \"arguments\": \"{\\\"city\\\":\\\"Oslo\\\"}\"}]", "", "weather", "{\"city\":\"Oslo\"}")]
    public void A_call_is_taken_out_of_the_text_however_it_is_split(string answer, string text, string name, string arguments)
    {
        foreach (var size in new[] { 1, 4, answer.Length })
        {
            var (given, calls) = Read(answer, size);
            Assert.Equal(text, given.TrimEnd());
            var call = Assert.Single(calls!);
            Assert.Equal((name, arguments), (call.Name, call.Arguments));
            Assert.Matches("^call_[a-z0-9]{24}$", call.Id);
        }
    }

    [Fact]
    public void Several_calls_are_all_found()
    {
        var (_, calls) = Read("<tool_call>{\"name\":\"weather\",\"arguments\":{}}</tool_call>\n<tool_call>{\"name\":\"time\",\"arguments\":{}}</tool_call>", 3);
        Assert.Equal(["weather", "time"], calls!.Select(c => c.Name));
    }

    [Theory]
    [InlineData("The <tool> is a hammer {\"name\":1}")]
    [InlineData("{\"answer\": 42}")]
    [InlineData("[1, 2, 3] is a list")]
    [InlineData("<tool_call>{\"name\":\"unknown\",\"arguments\":{}}</tool_call>")]
    [InlineData("<tool_call>{\"name\":\"weather\",\"argum")]
    [InlineData("   ")]
    public void What_is_no_call_stays_text(string answer)
    {
        foreach (var size in new[] { 1, 5, answer.Length })
        {
            var (given, calls) = Read(answer, size);
            Assert.Equal(answer, given);
            Assert.Null(calls);
        }
    }

    private static (string Text, IReadOnlyList<ToolCall>? Calls) Read(string answer, int size)
    {
        var reader = new ToolCallReader(Functions);
        var text = "";
        for (var at = 0; at < answer.Length; at += size)
            text += reader.Push(answer.Substring(at, Math.Min(size, answer.Length - at)));
        var (rest, calls) = reader.End("");
        return (text + rest, calls);
    }
}
