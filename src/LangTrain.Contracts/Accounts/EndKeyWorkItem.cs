namespace LangTrain.Contracts.Accounts;

/// <summary>Asks to close the open connections of a key at the moment at which it ends by itself: it expires, or its time beside its successor is over.</summary>
/// <remarks>Delivered at least once, when the key ends or before. When that is stands on the key's row; the message only names it.</remarks>
/// <param name="AccountId">Owner.</param>
/// <param name="KeyId">Id of the key (not the key itself).</param>
public sealed record EndKeyWorkItem(string AccountId, string KeyId);
