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

    [Fact]
    public void Pieces_join_to_the_calls_and_come_while_the_call_is_written()
    {
        const string Answer = "<tool_call>{\"name\": \"weather\", \"arguments\": {\"a\": \"}\\\"{\", \"b\": [{}]}}</tool_call>\n<tool_call>{\"name\":\"time\",\"arguments\":{}}</tool_call>";
        foreach (var size in new[] { 1, 7, Answer.Length })
        {
            var (_, calls, pieces) = ReadPieces(Answer, size, onlyOne: false);
            Assert.Equal(2, calls!.Count);
            foreach (var (index, call) in calls.Index())
            {
                var own = pieces.Where(p => p.Index == index).ToList();
                Assert.Equal((call.Id, call.Name), (own[0].Id, own[0].Name));
                Assert.All(own[1..], p => Assert.Null(p.Id));
                Assert.Equal(call.Arguments, string.Concat(own.Select(p => p.Arguments)));
            }
        }
        Assert.True(ReadPieces(Answer[..60], 1, onlyOne: false).Pieces.Count > 4);
    }

    [Fact]
    public void A_call_that_is_cut_off_stands_as_far_as_it_was_given_out()
    {
        var (text, calls, pieces) = ReadPieces("{\"name\":\"weather\",\"arguments\":{\"city\":\"Ro", 3, onlyOne: false);
        Assert.Equal(("", "{\"city\":\"Ro"), (text, Assert.Single(calls!).Arguments));
        Assert.Equal("{\"city\":\"Ro", string.Concat(pieces.Select(p => p.Arguments)));
    }

    [Fact]
    public void Where_one_call_is_wanted_the_answer_ends_with_it()
    {
        var (_, calls, _) = ReadPieces("[{\"name\":\"weather\",\"arguments\":{}},{\"name\":\"time\",\"arguments\":{}}]", 1, onlyOne: true);
        Assert.Equal("weather", Assert.Single(calls!).Name);
    }

    [Fact]
    public void Json_that_can_be_no_call_is_text_at_once()
    {
        foreach (var answer in new[] { "{\"answer\": [1, 2", "[1, 2", "{\"name\": \"Ada\", \"age\"" })
        {
            var reader = new ToolCallReader(Functions, onlyOne: false);
            Assert.Equal(answer, string.Concat(answer.Select(c => reader.Push(c.ToString()))));
        }
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
        var (text, calls, _) = ReadPieces(answer, size, onlyOne: false);
        return (text, calls);
    }

    private static (string Text, IReadOnlyList<ToolCall>? Calls, IReadOnlyList<ToolCallPiece> Pieces) ReadPieces(string answer, int size, bool onlyOne)
    {
        var reader = new ToolCallReader(Functions, onlyOne);
        var (text, pieces) = ("", new List<ToolCallPiece>());
        for (var at = 0; at < answer.Length && !reader.IsDone; at += size)
        {
            text += reader.Push(answer.Substring(at, Math.Min(size, answer.Length - at)));
            pieces.AddRange(reader.TakePieces() ?? []);
        }
        var (rest, calls) = reader.End("");
        return (text + rest, calls, pieces);
    }
}
