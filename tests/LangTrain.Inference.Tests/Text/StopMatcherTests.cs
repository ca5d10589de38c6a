using LangTrain.Inference.Text;

namespace LangTrain.Inference.Tests.Text;

public class StopMatcherTests
{
    [Theory]
    [InlineData("one two STOP three", "one two ", "STOP")]
    [InlineData("one two STO three", "one two STO three", "STOP")]
    [InlineData("aaab", "a", "aab")]
    [InlineData("xababac!", "xab", "abac")]
    [InlineData("### end", "", "###", "#")]
    [InlineData("line\n\nUser: hi", "line", "User:", "\n\n")]
    [InlineData("the END", "the ", "END", "THE")]
    [InlineData("never", "never", "nevermore")]
    public void Cuts_alike_however_the_text_is_split(string text, string expected, params string[] stops)
    {
        foreach (var size in new[] { 1, 2, 3, 5, text.Length })
        {
            var matcher = new StopMatcher(stops);
            var given = "";
            for (var at = 0; at < text.Length && !matcher.IsStopped; at += size)
            {
                given += matcher.Push(text.Substring(at, Math.Min(size, text.Length - at)));
                Assert.StartsWith(given, expected, StringComparison.Ordinal);
            }
            Assert.Equal(expected, given + matcher.Flush());
        }
    }

    [Fact]
    public void Holds_back_no_more_than_it_must()
    {
        var matcher = new StopMatcher(["\n\nUser:"]);
        Assert.Equal("Hello", matcher.Push("Hello"));
        Assert.Equal("", matcher.Push("\n"));
        Assert.Equal("", matcher.Push("\nUse"));
        Assert.True(matcher.IsHolding);
        Assert.Equal("\n\nUse a spoon", matcher.Push(" a spoon"));
        Assert.False(matcher.IsHolding);
    }
}
