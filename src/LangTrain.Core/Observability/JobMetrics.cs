using System.Diagnostics.Metrics;
using LangTrain.Core.FineTunes;

namespace LangTrain.Core.Observability;

/// <summary>Counts of fine-tunes, by how they moved; alerts and the workbook in infra/ read them. Thread-safe.</summary>
public static class JobMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "LangTrain.Core";

    private static readonly Meter Meter = new(MeterName);
    private static readonly Counter<long> Moved = Meter.CreateCounter<long>(
        "langtrain.fine_tunes.moved", "{job}", "Changes of a job's status, by the new status and, of failed ones, the error's code.");
    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "langtrain.fine_tunes.duration", "s", "Time from a job's creation to its end, by status.");

    /// <summary>Counts a written change of status.</summary>
    /// <param name="job">The job as it is now.</param>
    public static void Count(FineTune job)
    {
        ArgumentNullException.ThrowIfNull(job);
        var status = new KeyValuePair<string, object?>("status", job.Status.Word());
        Moved.Add(1, status, new KeyValuePair<string, object?>("code", job.Error?.Code ?? "none"));
        if (job.FinishedAt is { } end)
        {
            Duration.Record((end - job.CreatedAt).TotalSeconds, status);
        }
    }
}
