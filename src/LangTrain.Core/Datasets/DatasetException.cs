namespace LangTrain.Core.Datasets;

/// <summary>The data itself is at fault, or the place where it should be: an error of its owner's, which trying again does not mend.</summary>
public sealed class DatasetException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="code">Stable: <c>dataset_invalid</c>, <c>dataset_unreachable</c>, <c>dataset_too_large</c>, <c>dataset_not_found</c>, <c>dataset_url_refused</c>.</param>
    /// <param name="message">For the owner; nothing internal.</param>
    /// <param name="problems">Line by line, where that is what is wrong.</param>
    /// <param name="inner">What it came from.</param>
    public DatasetException(string code, string message, IReadOnlyList<DatasetProblem>? problems = null, Exception? inner = null)
        : base(message, inner)
    {
        Code = code;
        Problems = problems ?? [];
    }

    /// <summary>Stable code.</summary>
    public string Code { get; }

    /// <summary>Problems by line; empty where the file could not be read at all.</summary>
    public IReadOnlyList<DatasetProblem> Problems { get; }

    /// <summary>A report with problems, as an error that names the first of them.</summary>
    public static DatasetException FromProblems(string what, DatasetReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        const int Named = 5;
        var first = string.Join("; ", report.Problems.Take(Named));
        var more = report.Problems.Count > Named ? $"; and {report.Problems.Count - Named}{(report.StoppedEarly ? " or more" : "")} others, see the job's log" : "";
        var noun = report.Problems.Count == 1 ? "a problem" : $"{report.Problems.Count}{(report.StoppedEarly ? " or more" : "")} problems";
        return new DatasetException("dataset_invalid", $"{what} has {noun}: {first}{more}.", report.Problems);
    }
}
