using System.Text;
using LangTrain.Core.Datasets;

namespace LangTrain.Core.Tests.Datasets;

/// <summary>What is said of lines that are no rows.</summary>
public sealed class DatasetReaderTests
{
    private const string Good = """{"prompt":"a","completion":"b"}""";

    [Theory]
    [InlineData("""{"prompt":"a","completion":"b","completion":"c"}""", "an object has a key twice")]
    [InlineData("""{"prompt":"a","completion":"b",}""", "not valid JSON (at byte 32 of the line)")]
    [InlineData("""{"prompt":"a","completion":5}""", "'completion' is a number; it must be text")]
    [InlineData("""{"prompt":"a\ud800","completion":"b"}""", @"text with half of a surrogate pair (\ud800 to \udfff must come in pairs)")]
    [InlineData("{\"prompt\":\"a\0\",\"completion\":\"b\"}", "not valid JSON (at byte 13 of the line)")]
    [InlineData("""["a","b"]""", "a list, not an object; each line must be one JSON object")]
    public async Task A_line_that_is_no_row_is_named_with_what_is_wrong_though_a_mark_and_blank_lines_stand_before_it(string line, string problem)
    {
        var report = await ReadAsync($"\ufeff{Good}\r\n\r\n{line}\r\n{Good}");
        Assert.Equal([new DatasetProblem(3, problem)], report.Problems);
    }

    [Fact]
    public async Task A_mark_blank_lines_and_other_ends_of_lines_are_no_problem() =>
        Assert.Equal((3, true), await ReadAsync($"\ufeff\r\n{Good}\r\n\n{Good}\n  \r\n{Good}") is var report ? (report.Rows, report.IsValid) : default);

    /// <param name="head">How the file begins, in hexadecimal digits.</param>
    /// <param name="kind">What it is told to be.</param>
    [Theory]
    [InlineData("FFFE7B002200", "in UTF-16")]
    [InlineData("007B0022", "in UTF-16")]
    [InlineData("504B030414000000", "a ZIP archive")]
    [InlineData("5041523115", "a Parquet file")]
    [InlineData("28B52FFD04", "compressed by Zstandard")]
    public async Task A_file_of_another_kind_is_told_as_one_and_not_line_by_line(string head, string kind)
    {
        var refusal = await Assert.ThrowsAsync<DatasetException>(() => ReadAsync([.. Convert.FromHexString(head), .. "\n\n\n"u8]));
        Assert.Equal("dataset_invalid", refusal.Code);
        Assert.StartsWith($"The dataset is {kind}", refusal.Message, StringComparison.Ordinal);
    }

    private static Task<DatasetReport> ReadAsync(string content) => ReadAsync(Encoding.UTF8.GetBytes(content));

    private static async Task<DatasetReport> ReadAsync(byte[] content)
    {
        using var stream = new MemoryStream(content);
        return await new DatasetReader(new DatasetLimits(), new DatasetOptions()).ReadAsync(stream, training: null, evaluation: null, other: null, TestContext.Current.CancellationToken);
    }
}
