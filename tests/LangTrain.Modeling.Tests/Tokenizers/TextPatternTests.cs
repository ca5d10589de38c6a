using LangTrain.Modeling.Tokenizers;
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
    [InlineData(@"(?=(?:\d{3})+(?!\d))", "1234567", "|")] // empty ones cut as well: before 234 and 567
    [InlineData(@"\d+\b", "5① x²7 8Ⓐ9", "5|7|9")] // a circled letter is a word's, a circled digit is not
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
    [InlineData(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    [InlineData(@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")]
    [InlineData(@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")]
    public void Patterns_written_out_for_ASCII_match_as_their_code_does(string pattern)
    {
        Assert.NotNull(AsciiSplitter.Of(pattern));
        var (fast, plain) = (TextPattern.Compile(pattern), TextPattern.CompilePlainly(pattern));
        var random = new Random(4);
        // What the rules tell apart, each in several kinds, and what looks like it but is not ASCII (the last four: a space, a digit, a letter, the long s).
        string[] parts = ["a", "S", "t", "rE", "ve", "Ll", "d", "'", "'", "7", "42", " ", " ", "\t", "\v", "\r", "\n", "!", "_", "\0", "\u001C", "\u0085", "\u00A0", "\u0663", "\u00E9", "\u017F"];
        for (var round = 0; round < 8_000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => parts[random.Next(parts.Length - (round % 2 == 0 ? 5 : 0))]));
            for (var start = 0; start < text.Length; start++) Assert.Equal(plain.MatchAt(text, start), fast.MatchAt(text, start));
        }
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
        Assert.Throws<EndlessPatternException>(() => TextPattern.Compile("(?:a|aa)+b").MatchAt(new string('a', 100), 0));
}
