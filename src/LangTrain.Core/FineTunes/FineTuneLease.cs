namespace LangTrain.Core.FineTunes;

/// <summary>Which worker trains a job, and until when that is believed without word from it.</summary>
/// <remarks>
/// <see cref="Token"/> fences: it rises with every claim and never falls. A worker writes to the row only while the row carries its token,
/// so a worker that was thought lost and comes back cannot harm the one that took over.
/// </remarks>
/// <param name="Token">Rises with every claim, from 1.</param>
/// <param name="Worker">Name of the worker, for people.</param>
/// <param name="ExpiresAt">UTC. Past it the worker counts as lost.</param>
public sealed record FineTuneLease(long Token, string Worker, DateTimeOffset ExpiresAt);
