namespace LangTrain.Contracts;

/// <summary>Answer of a DELETE that answers 200.</summary>
/// <param name="Id">What was deleted.</param>
/// <param name="Object">Its kind.</param>
/// <param name="Deleted">True.</param>
public sealed record DeletedAnswer(string Id, string Object, bool Deleted = true);
