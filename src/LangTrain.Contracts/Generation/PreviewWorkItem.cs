using LangTrain.Contracts.Files;

namespace LangTrain.Contracts.Generation;

/// <summary>Rows to be shown as a model would be trained on them: body of <c>POST /internal/preview</c>, answered with <see cref="PreviewResult"/>.</summary>
/// <param name="Target">The model.</param>
/// <param name="Rows">Canonical rows, JSON each.</param>
public sealed record PreviewWorkItem(GenerationTarget Target, IReadOnlyList<string> Rows);

/// <summary>Answer to <see cref="PreviewWorkItem"/>.</summary>
/// <param name="Rows">As many as were sent, in their order.</param>
public sealed record PreviewResult(IReadOnlyList<FilePreviewRow> Rows);
