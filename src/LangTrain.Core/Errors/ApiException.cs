using LangTrain.Contracts.Errors;

namespace LangTrain.Core.Errors;

/// <summary>Ends a request with an error that its sender may read. Use cases throw it; the error-envelope middleware writes it.</summary>
/// <remarks>Made by <see cref="ApiErrors"/>, so that one class of error has one status, type and wording everywhere.</remarks>
public sealed class ApiException : Exception
{
    /// <summary>An error of one or several problems.</summary>
    /// <param name="status">HTTP status.</param>
    /// <param name="type">One of <see cref="ErrorTypes"/>.</param>
    /// <param name="problems">At least one.</param>
    /// <param name="inner">What caused it; logged, never sent.</param>
    public ApiException(int status, string type, IReadOnlyList<ApiProblem> problems, Exception? inner = null)
        : base(string.Join(' ', (problems ?? throw new ArgumentNullException(nameof(problems))).Select(problem => problem.Message)), inner)
    {
        ArgumentOutOfRangeException.ThrowIfZero(problems.Count);
        Status = status;
        Type = type;
        Problems = problems;
    }

    /// <summary>HTTP status.</summary>
    public int Status { get; }

    /// <summary>One of <see cref="ErrorTypes"/>.</summary>
    public string Type { get; }

    /// <summary>What is wrong, at least one.</summary>
    public IReadOnlyList<ApiProblem> Problems { get; }

    /// <summary>Code of the first problem.</summary>
    public string Code => Problems[0].Code;

    /// <summary>Param of the first problem.</summary>
    public string? Param => Problems[0].Param;

    /// <summary>When to try again, with 429 and 503; sent as whole seconds, at least 1.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Told to SDKs as <c>x-should-retry</c> where the status alone would mislead them.</summary>
    public bool? ShouldRetry { get; init; }

    /// <summary>Methods that the path knows, with 405.</summary>
    public string? Allow { get; init; }

    /// <summary>The body that a client gets.</summary>
    public ErrorEnvelope ToEnvelope() => new(new ErrorBody(
        Message, Type, Param, Code, Problems.Count == 1 ? null : [.. Problems.Select(problem => new ErrorDetail(problem.Message, problem.Param, problem.Code))]));
}
