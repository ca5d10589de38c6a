using System.Text;
using System.Text.Json;
using LangTrain.Training.Data;

namespace LangTrain.Training.Tests.Data;

public class TextRowTests
{
    [Theory]
    [InlineData("""{"text":"a"}""", true)]
    [InlineData(""" { "prompt" : "a" , "id":"7","completion": "b\r\n\t\b\f\/\\\"" } """, true)]
    [InlineData("""{"prompt":"","chosen":"é🦙","rejected":"\u00e9\uD83E\uDD99\u003Cx\u003e"}""", true)]
    [InlineData("""{"te\u0078t":"a"}""", true)]
    [InlineData("""{"text":"a","text":"b"}""", false)]
    [InlineData("""{"text":"a","messages":"b"}""", false)]
    [InlineData("""{"text":5}""", false)]
    [InlineData("""{"text":"a","n":[]}""", false)]
    [InlineData("""{"text":"\uD83E"}""", false)]
    [InlineData("""{"text":"\uD83Ex"}""", false)]
    [InlineData("""{"text":"\uDD99\uD83E"}""", false)]
    [InlineData("""{"text":"\x"}""", false)]
    [InlineData("""{"text":"\u12g4"}""", false)]
    [InlineData("""{"text":"\u12""", false)]
    [InlineData("""{"text":"a\"}""", false)]
    [InlineData("{\"text\":\"a\nb\"}", false)]
    [InlineData("""{"text":"a",}""", false)]
    [InlineData("""{"text":"a"}}""", false)]
    [InlineData("""{"text":"a"} x""", false)]
    [InlineData("""{"text" "a"}""", false)]
    [InlineData("""{"text":"a" "prompt":"b"}""", false)]
    [InlineData("""{text:"a"}""", false)]
    [InlineData("{}", false)]
    [InlineData("""["text"]""", false)]
    [InlineData("", false)]
    public void Rows_of_texts_are_read_as_the_JSON_reader_does_and_others_left_to_it(string line, bool expected)
    {
        var row = new TextRow();
        Assert.True(row.TryRead("""{"text":"before","prompt":"before"}"""u8));
        Assert.Equal(expected, row.TryRead(Encoding.UTF8.GetBytes(line)));
        if (!expected) return;
        using var json = JsonDocument.Parse(line);
        string? Value(string key) => json.RootElement.TryGetProperty(key, out var value) ? value.GetString() : null;
        Assert.Equal(
            [Value("text"), Value("prompt"), Value("completion"), Value("chosen"), Value("rejected")],
            [row.Text, row.Prompt, row.Completion, row.Chosen, row.Rejected]);
    }

    [Fact]
    public void What_is_not_UTF8_is_no_text() => Assert.False(new TextRow().TryRead([.. "{\"text\":\""u8, 0xC3, .. "\"}"u8]));
}
