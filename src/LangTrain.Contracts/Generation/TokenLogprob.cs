namespace LangTrain.Contracts.Generation;

/// <summary>A token with its log-probability and the likeliest others at its place.</summary>
/// <param name="Id">Token id.</param>
/// <param name="Token">Its text; half characters stand as U+FFFD.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Logprob">Natural logarithm of its probability; null for the first token of a prompt.</param>
/// <param name="Top">The likeliest tokens at this place, best first; their own <c>Top</c> is null.</param>
/// <param name="Offset">Where its text begins in the choice's text, in Unicode code points.</param>
public sealed record TokenLogprob(int Id, string Token, IReadOnlyList<int> Bytes, double? Logprob, IReadOnlyList<TokenLogprob>? Top = null, int Offset = 0);
