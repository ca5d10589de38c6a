namespace LangTrain.Contracts;

/// <summary>Paths of a worker's internal API. Every call but health and metrics carries <c>Authorization: Bearer</c> with the worker key.</summary>
public static class WorkerRoutes
{
    /// <summary>POST <see cref="Generation.GenerateWorkItem"/>; answer: lines of <see cref="Generation.GenerationUpdate"/> (application/x-ndjson).</summary>
    public const string Generate = "/internal/generate";

    /// <summary>POST <see cref="Generation.TokenizeWorkItem"/>.</summary>
    public const string Tokenize = "/internal/tokenize";

    /// <summary>GET: what the engines measure, in Prometheus' text format. Models are named, nobody else is.</summary>
    public const string Metrics = "/metrics";

    /// <summary>POST <see cref="Generation.PreviewWorkItem"/>.</summary>
    public const string Preview = "/internal/preview";

    /// <summary>POST <see cref="FineTunes.EstimateWorkItem"/>; answer <see cref="FineTunes.TrainingEstimateAnswer"/>.</summary>
    public const string Estimate = "/internal/estimate";

    /// <summary>GET: 200 when the worker can answer.</summary>
    public const string Health = "/health";
}
