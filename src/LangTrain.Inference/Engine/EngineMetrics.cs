using System.Diagnostics.Metrics;

namespace LangTrain.Inference.Engine;

/// <summary>One engine's measurements, tagged with its model; called from the loop thread, but for the queue.</summary>
internal sealed class EngineMetrics(string model, TimeProvider time) : IDisposable
{
    private static readonly Histogram<double> TimeToFirstToken =
        InferenceMeter.Meter.CreateHistogram<double>("langtrain.inference.time_to_first_token", "s", "From submission to the first token.");

    private static readonly Histogram<double> InterTokenTime =
        InferenceMeter.Meter.CreateHistogram<double>("langtrain.inference.inter_token_time", "s", "Between two tokens of one row.");

    private static readonly Histogram<double> QueueTime =
        InferenceMeter.Meter.CreateHistogram<double>("langtrain.inference.queue_time", "s", "From submission to a row in the batch.");

    private static readonly Histogram<double> StepTime =
        InferenceMeter.Meter.CreateHistogram<double>("langtrain.inference.step_time", "s", "One step of the whole batch.");

    private static readonly Histogram<int> BatchSize =
        InferenceMeter.Meter.CreateHistogram<int>("langtrain.inference.batch_size", "{row}", "Rows in a step.");

    private static readonly Counter<long> GeneratedTokens =
        InferenceMeter.Meter.CreateCounter<long>("langtrain.inference.generated_tokens", "{token}", "Tokens generated; its rate is tokens a second.");

    private static readonly Counter<long> PromptTokens =
        InferenceMeter.Meter.CreateCounter<long>("langtrain.inference.prompt_tokens", "{token}", "Tokens of admitted prompts.");

    private static readonly Counter<long> ReusedTokens =
        InferenceMeter.Meter.CreateCounter<long>("langtrain.inference.prompt_tokens_reused", "{token}", "Prompt tokens taken from the cache.");

    private static readonly Counter<long> RejectedRequests =
        InferenceMeter.Meter.CreateCounter<long>("langtrain.inference.rejected_requests", "{request}", "Requests that a full queue refused.");

    private static readonly UpDownCounter<long> QueueLength =
        InferenceMeter.Meter.CreateUpDownCounter<long>("langtrain.inference.queue_length", "{request}", "Requests that wait for a row.");

    private static readonly Gauge<double> CacheUse =
        InferenceMeter.Meter.CreateGauge<double>("langtrain.inference.kv_cache_use", "1", "Share of the key-value cache that rows hold.");

    private readonly KeyValuePair<string, object?> _model = new("model", model);
    private long _queued;

    public void Queued(int change)
    {
        Interlocked.Add(ref _queued, change);
        QueueLength.Add(change, _model);
    }

    public void Rejected() => RejectedRequests.Add(1, _model);

    public void Admitted(GenerationRow row)
    {
        row.AdmittedAt = time.GetTimestamp();
        if (row.Generated > 0)
            return; // It was set aside and comes back.
        QueueTime.Record(time.GetElapsedTime(row.SubmittedAt, row.AdmittedAt).TotalSeconds, _model);
        PromptTokens.Add(row.PromptLength, _model);
    }

    public void PrefixReused(int tokens) => ReusedTokens.Add(tokens, _model);

    /// <summary>A token is about to be appended.</summary>
    public void Token(GenerationRow row)
    {
        var now = time.GetTimestamp();
        if (row.Generated == 0)
            TimeToFirstToken.Record(time.GetElapsedTime(row.SubmittedAt, now).TotalSeconds, _model);
        else
            InterTokenTime.Record(time.GetElapsedTime(row.LastTokenAt, now).TotalSeconds, _model);
        row.LastTokenAt = now;
        GeneratedTokens.Add(1, _model);
    }

    public void Stepped(long began, int rows, double cacheUse)
    {
        StepTime.Record(time.GetElapsedTime(began).TotalSeconds, _model);
        BatchSize.Record(rows, _model);
        CacheUse.Record(cacheUse, _model);
    }

    /// <summary>Takes this engine's share out of the sums.</summary>
    public void Dispose()
    {
        QueueLength.Add(-Interlocked.Exchange(ref _queued, 0), _model);
        CacheUse.Record(0, _model);
    }
}
