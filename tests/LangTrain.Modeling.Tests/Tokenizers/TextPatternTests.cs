using LangTrain.Modeling.Tokenizers.Patterns;

namespace LangTrain.Modeling.Tests.Tokenizers;

public class TextPatternTests
{
    [Theory]
    [InlineData(@"\p{L}+", "ab1c", "ab|c")]
    [InlineData(@"\p{L}+", "𝐀𝐁1𠀀", "𝐀𝐁|𠀀")] // letters outside the basic plane are letters
    [InlineData(@"[^\s\p{L}]+", "a𝐀!?🦙 b", "!?🦙")]
    [InlineData(@"(?i:'s|'re)|\w", "'S're'Re", "'S|'re|'Re")]
    [InlineData(@"\s+(?!\S)|\s+", "  a   ", " | |   ")]
    [InlineData(@"\p{N}{1,3}", "1234567", "123|456|7")]
    [InlineData(@"\d(?=(?:\d{3})*$)", "1234567", "1|4|7")]
    [InlineData(@"[a-z&&[^aeiou]]+", "hello", "h|ll")]
    [InlineData(@"(?<=x)y|(?<!x)z", "xyzxz", "y|z")]
    [InlineData(@"a++a|b*+b|c", "aaabbc", "c")] // possessive loops give nothing back
    [InlineData(@"(?>ab|a)c|abd", "ac abc abd", "ac|abc|abd")]
    [InlineData(@"\x{1F999}|\u0041|[\x30-\x32]", "🦙A123", "🦙|A|1|2")]
    [InlineData(@"a{2}|b{2,}|c{,2}d", "aaa bbb ccd", "aa|bbb|ccd")]
    public void Matches_as_the_reference_engine_does(string pattern, string text, string expected)
    {
        var compiled = TextPattern.Compile(pattern);
        var found = new List<string>();
        for (var at = 0; compiled.Find(text, at, out var start, out var end); at = end) found.Add(text[start..end]);
        Assert.Equal(expected, string.Join('|', found));
    }

    [Theory]
    [InlineData("(a")]
    [InlineData("[a")]
    [InlineData("a)")]
    [InlineData("*a")]
    [InlineData(@"(a)\1")]
    [InlineData(@"\p{Klingon}")]
    [InlineData("(a*)*")]
    [InlineData("(?<=a+)b")]
    [InlineData("a{5000}")]
    public void What_is_not_understood_is_refused(string pattern) => Assert.Throws<FormatException>(() => TextPattern.Compile(pattern));

    [Fact]
    public void Ten_million_characters_in_one_match_need_no_deep_stack()
    {
        var text = new string('7', 10_000_000);
        Assert.Equal(text.Length, TextPattern.Compile(@"(?:\d\d)+").MatchAt(text, 0));
    }

    [Fact]
    public void A_pattern_that_backtracks_without_end_is_stopped() =>
        Assert.Throws<InvalidOperationException>(() => TextPattern.Compile("(?:a|aa)+b").MatchAt(new string('a', 100), 0));
}
