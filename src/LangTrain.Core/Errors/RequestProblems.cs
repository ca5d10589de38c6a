namespace LangTrain.Core.Errors;

/// <summary>Collects what is wrong with one request, so that its sender hears of all of it at once. Not thread-safe.</summary>
public sealed class RequestProblems
{
    // A body of a million wrong keys is answered with the first few.
    private const int Most = 20;

    private readonly int _most = Most;
    private readonly bool _isDescription;

    /// <summary>No problem yet.</summary>
    public RequestProblems()
    {
    }

    // For a reader that only tells what it would read: there are no values behind the point where it would stop.
    internal RequestProblems(bool isDescription) => (_isDescription, _most) = (isDescription, isDescription ? int.MaxValue : Most);

    private readonly List<ApiProblem> _found = [];

    /// <summary>Whether anything was found.</summary>
    public bool Any => _found.Count > 0;

    /// <summary>What was found, in order, the first 20.</summary>
    public IReadOnlyList<ApiProblem> Found => _found;

    /// <summary>Notes a problem.</summary>
    /// <param name="param">Path of the value at fault; empty for the body as a whole.</param>
    /// <param name="message">A sentence.</param>
    /// <param name="code">Stable code.</param>
    public void Add(string param, string message, string code = "invalid_value")
    {
        ArgumentNullException.ThrowIfNull(param);
        if (_found.Count < _most)
        {
            _found.Add(new ApiProblem(message, code, param.Length == 0 ? null : param));
        }
    }

    /// <summary>Ends the request if anything was found.</summary>
    /// <exception cref="ApiException">400 with all problems.</exception>
    public void ThrowIfAny()
    {
        if (Any)
        {
            throw ApiErrors.Invalid([.. _found]);
        }

        if (_isDescription)
        {
            throw ApiErrors.Invalid("This was a description.", null);
        }
    }
}
