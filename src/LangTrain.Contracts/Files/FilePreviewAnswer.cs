namespace LangTrain.Contracts.Files;

/// <summary>The first rows of a file as a model would be trained on them: its tokens, and which of them are learned.</summary>
/// <param name="FileId">The file.</param>
/// <param name="Model">The model whose tokenizer and template made the tokens.</param>
/// <param name="Format">Format that the rows are trained in.</param>
/// <param name="Rows">Rows from the first.</param>
public sealed record FilePreviewAnswer(string FileId, string Model, string Format, IReadOnlyList<FilePreviewRow> Rows)
{
    /// <summary>Always <c>file.preview</c>.</summary>
    public string Object { get; init; } = "file.preview";
}

/// <summary>One row.</summary>
/// <param name="Examples">What it becomes: one example, or two of a preference row (the chosen answer, then the rejected one).</param>
/// <param name="Error">Why it becomes nothing; absent when it does.</param>
public sealed record FilePreviewRow(IReadOnlyList<FilePreviewExample> Examples, string? Error);

/// <summary>Tokens of an example. The three lists have one length.</summary>
/// <param name="Ids">Token ids.</param>
/// <param name="Tokens">Text of each.</param>
/// <param name="LossMask">1 where the loss is taken (the token is learned), 0 where it is context.</param>
/// <param name="Segments">The same as text, in pieces that are learned or not.</param>
/// <param name="TrainedTokens">How many are learned.</param>
public sealed record FilePreviewExample(
    IReadOnlyList<int> Ids, IReadOnlyList<string> Tokens, IReadOnlyList<int> LossMask, IReadOnlyList<FilePreviewSegment> Segments, int TrainedTokens);

/// <summary>A piece of an example's text.</summary>
/// <param name="Text">Text, special tokens among it.</param>
/// <param name="Trained">Whether it is learned.</param>
public sealed record FilePreviewSegment(string Text, bool Trained);
