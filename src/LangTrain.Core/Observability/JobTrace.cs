using System.Diagnostics;
using LangTrain.Core.FineTunes;

namespace LangTrain.Core.Observability;

/// <summary>The spans of this product. A job is one trace, from the request that made it to the model: each step joins the trace that stands on the job's row.</summary>
/// <remarks>
/// W3C Trace Context. Durable replays, waits of hours and workers on other machines come between the steps, so the ambient context of a
/// process is not relied on; the row is.
/// </remarks>
public static class JobTrace
{
    /// <summary>Name of the activity source, to be listened to by exporters.</summary>
    public const string SourceName = "LangTrain";

    /// <summary>The source; for spans that belong to no job.</summary>
    public static ActivitySource Source { get; } = new(SourceName);

    /// <summary>Starts the span of one step of a job; null where nobody listens.</summary>
    /// <param name="step">Verb of the step, such as <c>prepare</c>.</param>
    /// <param name="job">The job.</param>
    /// <param name="kind">Producer or consumer where the step meets the queue.</param>
    /// <param name="parent">A nearer parent than the row's, from the message that asked for the step; or null.</param>
    public static Activity? Start(string step, FineTune job, ActivityKind kind = ActivityKind.Internal, string? parent = null)
    {
        ArgumentNullException.ThrowIfNull(job);
        if (!ActivityContext.TryParse(parent ?? job.TraceParent, null, isRemote: true, out var context))
        {
            context = Activity.Current?.Context ?? default;
        }

        var span = Source.StartActivity("fine_tune " + step, kind, context);
        span?.SetTag("langtrain.job_id", job.Id).SetTag("langtrain.attempt", job.Attempt);
        return span;
    }

    /// <summary>Marks a span as failed, by the kind of its failure; messages may carry what no trace should.</summary>
    public static void Fail(this Activity? span, Exception failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        span?.SetStatus(ActivityStatusCode.Error, failure.GetType().Name);
    }
}
