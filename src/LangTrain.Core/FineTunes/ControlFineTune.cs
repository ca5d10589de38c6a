using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.FineTunes;

/// <summary>Cancels, pauses or resumes a job on its owner's wish. Thread-safe.</summary>
/// <remarks>
/// The wish is written on the row; what no worker has to do first is done in the same write. The caller then wakes the orchestration; if it
/// dies before that, the sweep does it. Asking twice for the same is no error.
/// </remarks>
public sealed class ControlFineTune(ChangeFineTune change)
{
    /// <summary>Asks for a change.</summary>
    /// <param name="job">The job.</param>
    /// <param name="wish">Cancel, pause or resume.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The job as it stands now.</returns>
    /// <exception cref="ApiException">404 when there is no such job; 409 when its state does not allow the wish.</exception>
    public async Task<FineTune> ExecuteAsync(FineTuneRef job, FineTuneControl wish, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentOutOfRangeException.ThrowIfEqual(wish, FineTuneControl.None);
        Versioned<FineTune>? row = await change.ExecuteAsync(job, current => Wish(current, wish), cancellation);
        return row?.Value ?? throw ApiErrors.NotFound("fine_tune", job.JobId);
    }

    private static FineTuneChange? Wish(FineTune job, FineTuneControl wish)
    {
        if (IsDone(job, wish))
        {
            return null;
        }

        Refuse(job, wish);
        // A pause that no worker has seen yet is simply taken back; if one has, its stop is taken as a giving back.
        var wished = job with { Requested = wish == FineTuneControl.Resume && job.Status != FineTuneStatus.Paused ? FineTuneControl.None : wish };
        return FineTuneRules.Grant(wished) ?? new FineTuneChange(wished);
    }

    private static bool IsDone(FineTune job, FineTuneControl wish) => wish switch
    {
        FineTuneControl.Cancel => job.Status == FineTuneStatus.Cancelled || job.Requested == FineTuneControl.Cancel,
        FineTuneControl.Pause => job.Status == FineTuneStatus.Paused && job.Requested == FineTuneControl.None || job.Requested == FineTuneControl.Pause,
        _ => job.Requested == FineTuneControl.Resume
            || (job.Requested == FineTuneControl.None && job.Status is FineTuneStatus.Created or FineTuneStatus.Validating or FineTuneStatus.Queued or FineTuneStatus.Running),
    };

    private static void Refuse(FineTune job, FineTuneControl wish)
    {
        if (FineTuneStateMachine.IsTerminal(job.Status))
        {
            throw ApiErrors.Conflict("fine_tune_ended", $"The fine-tune is {job.Status.Word()} and can no longer be {Participle(wish)}.");
        }

        if (job.Requested == FineTuneControl.Cancel)
        {
            throw ApiErrors.Conflict("fine_tune_cancelling", $"The fine-tune is being cancelled and can no longer be {Participle(wish)}.");
        }
    }

    private static string Participle(FineTuneControl wish) => wish switch
    {
        FineTuneControl.Cancel => "cancelled",
        FineTuneControl.Pause => "paused",
        _ => "resumed",
    };
}
