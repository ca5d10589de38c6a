namespace LangTrain.Core.FineTunes;

/// <summary>A job as it should become, and what to tell its owner about it.</summary>
/// <param name="Job">The changed row; <see cref="ChangeFineTune"/> adds revision, events and times.</param>
/// <param name="Lines">Log lines, told before the status event; only with a change of status.</param>
public sealed record FineTuneChange(FineTune Job, params IReadOnlyList<JobLine> Lines);

/// <summary>A log line for a job's owner.</summary>
/// <param name="Message">One sentence.</param>
/// <param name="Level"><c>info</c>, <c>warning</c> or <c>error</c>.</param>
public sealed record JobLine(string Message, string Level = "info");
