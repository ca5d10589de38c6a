namespace LangTrain.Contracts.Together;

/// <summary>A list without pages, as the together-ai client reads it.</summary>
/// <param name="Data">The items.</param>
public sealed record TogetherListAnswer<T>(IReadOnlyList<T> Data);

/// <summary>Something that happened in a job. What the client has no word for is left out; numbers of steps are metrics.</summary>
/// <param name="CreatedAt">UTC.</param>
/// <param name="Type"><c>job_pending</c>, <c>job_start</c>, <c>checkpoint_save</c>, <c>warning</c>, <c>job_error</c>, <c>job_stopped</c> or <c>job_complete</c>.</param>
/// <param name="Level"><c>info</c>, <c>warning</c> or <c>error</c>.</param>
/// <param name="Message">A sentence.</param>
/// <param name="Step">Optimizer steps done, with a checkpoint.</param>
/// <param name="CheckpointPath">Id of the checkpoint's model.</param>
public sealed record TogetherEventAnswer(DateTimeOffset CreatedAt, string Type, string Level, string Message, int? Step, string? CheckpointPath)
{
    /// <summary>Always <c>fine-tune-event</c>.</summary>
    public string Object { get; init; } = "fine-tune-event";
}

/// <summary>A stored state of a job's model.</summary>
/// <param name="CheckpointType"><c>Intermediate</c>, or <c>Final</c> for the model that the job made.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="Path">Id of the model that it is.</param>
/// <param name="Step">Optimizer steps done.</param>
public sealed record TogetherCheckpointAnswer(string CheckpointType, DateTimeOffset CreatedAt, string Path, int Step);

/// <summary>Numbers of a job's steps and evaluations, oldest first.</summary>
/// <param name="Metrics">Each with <c>global_step</c>.</param>
public sealed record TogetherMetricsAnswer(IReadOnlyList<IReadOnlyDictionary<string, double>> Metrics);
