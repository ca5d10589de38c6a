using System.Globalization;

namespace LangTrain.Flow.Tests.Serving;

/// <summary>What a host's worker tells at <c>/metrics</c>, as Prometheus would scrape it.</summary>
internal sealed class WorkerPage : IDisposable
{
    private readonly HttpClient _client;

    private WorkerPage(Uri worker) => _client = new HttpClient { BaseAddress = worker };

    /// <summary>Finds the worker among the host's processes, and its address in the environment that it was given.</summary>
    public static WorkerPage Of(LocalHostProcess host)
    {
        var worker = host.Children().Single(child => ProcessTree.CommandOf(child).Contains("LangTrain.Worker", StringComparison.Ordinal));
        const string Name = "LANGTRAIN_WORKER_URL=";
        var setting = File.ReadAllText($"/proc/{worker}/environ").Split('\0').Single(pair => pair.StartsWith(Name, StringComparison.Ordinal));
        return new WorkerPage(new Uri(setting[Name.Length..]));
    }

    public Task<string> ReadAsync() => _client.GetStringAsync(new Uri("/metrics", UriKind.Relative));

    /// <summary>Sum of a metric over all its labels; 0 where it was never measured.</summary>
    public async Task<double> ValueAsync(string name) => (await ReadAsync()).Split('\n')
        .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) || line.StartsWith(name + " ", StringComparison.Ordinal))
        .Sum(line => double.Parse(line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture));

    public void Dispose() => _client.Dispose();
}
