namespace LangTrain.Core.FineTunes;

/// <summary>A job's data, fetched, checked and written in canonical rows; what a worker reads.</summary>
/// <remarks>
/// Canonical rows are JSONL in one of four shapes: <c>{"messages":[…],"tools"?}</c>, <c>{"prompt","completion"}</c>, <c>{"text"}</c>,
/// <c>{"prompt","chosen","rejected"}</c>. So only Core knows the formats that people upload.
/// </remarks>
/// <param name="BlobName">Training rows, in the datasets container.</param>
/// <param name="ValidationBlobName">Evaluation rows, or null.</param>
/// <param name="Format"><c>chat</c>, <c>completion</c>, <c>text</c> or <c>preference</c>.</param>
/// <param name="Rows">Training rows.</param>
/// <param name="ValidationRows">Evaluation rows.</param>
/// <param name="Bytes">Size of the training rows.</param>
/// <param name="Sha256">Of the training rows as stored, lower-case hex.</param>
/// <param name="Warnings">Sentences for the owner.</param>
public sealed record PreparedDataset(
    string BlobName, string? ValidationBlobName, string Format, long Rows, long ValidationRows, long Bytes, string Sha256, IReadOnlyList<string> Warnings);
