using System.Text;
using LangTrain.Core.Errors;
using LangTrain.Core.Http;

namespace LangTrain.Core.Tests.Http;

public sealed class RequestObjectTests
{
    [Fact]
    public void Null_reads_as_absent_and_4_point_0_as_whole()
    {
        var body = Parse("""{"a":null,"b":4.0,"c":"x"}""");
        Assert.Equal((null, 4L, "x"), (body.Text("a"), body.Integer("b", 0, 9), body.Text("c")));
        body.RefuseUnknownKeys();
        body.Problems.ThrowIfAny();
    }

    [Theory]
    [InlineData("""{"n":4.5}""")]
    [InlineData("""{"n":10}""")]
    [InlineData("""{"n":"4"}""")]
    [InlineData("""{"n":1e30}""")]
    [InlineData("""{"n":true}""")]
    public void Wrong_number_says_what_is_allowed(string json)
    {
        var body = Parse(json);
        Assert.Null(body.Integer("n", 0, 9));
        Assert.Contains("a whole number from 0 to 9", body.Problems.Found.Single().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Paths_lead_into_objects_and_arrays()
    {
        var body = Parse("""{"config":{"lora_confg":{},"list":[{"r":"x"}]}}""");
        var config = body.Object("config")!;
        config.Object("lora_config");
        config.Objects("list")![0].Int32("r", 1, 5);
        config.RefuseUnknownKeys();
        Assert.Equal(["config.list[0].r", "config.lora_confg"], body.Problems.Found.Select(problem => problem.Param));
        Assert.Contains("'lora_config'", body.Problems.Found[1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused_wherever_they_stand()
    {
        Assert.Equal("invalid_string", Code([.. "{\"a\":\""u8, 0xFF, .. "\"}"u8]));
        Assert.Equal("invalid_string", Code("{\"a\":[{\"b\":\"\\udc00\"}]}"u8));
        Assert.Equal("invalid_string", Code("{\"\\ud800\":1}"u8));
        Assert.Equal("duplicate_key", Code("{\"a\":{\"b\":1,\"\\u0062\":2}}"u8));
    }

    [Fact]
    public async Task Body_without_announced_length_is_cut_off_at_the_limit()
    {
        await using var body = new MemoryStream(Encoding.UTF8.GetBytes("{\"a\":\"" + new string('x', 2000) + "\"}"));
        Assert.Equal(413, (await Assert.ThrowsAsync<ApiException>(() => JsonBody.ReadAsync(body, null, 1000))).Status);
        Assert.True(body.Position <= 4096);
        body.Position = 0;
        Assert.Equal(2000, (await JsonBody.ReadAsync(body, null, 3000)).Text("a")!.Length);
    }

    [Theory]
    [InlineData("temprature", "temperature")]
    [InlineData("maxTokens", "max_tokens")]
    [InlineData("zebra", null)]
    public void Nearest_word_helps_only_where_it_is_near(string given, string? expected) =>
        Assert.Equal(expected, NearestWord.Find(given, ["temperature", "max_tokens", "top_p"]));

    private static RequestObject Parse(string json) => JsonBody.Parse(Encoding.UTF8.GetBytes(json));

    private static string Code(ReadOnlySpan<byte> json)
    {
        try
        {
            JsonBody.Parse(json);
            return "none";
        }
        catch (ApiException e)
        {
            return e.Code;
        }
    }
}
