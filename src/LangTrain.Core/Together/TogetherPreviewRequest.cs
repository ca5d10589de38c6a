using LangTrain.Core.Files;
using LangTrain.Core.Http;

namespace LangTrain.Core.Together;

/// <summary>A request of <c>POST /fine-tunes/preview</c>, checked.</summary>
/// <param name="Model">The model whose tokenizer and template are used.</param>
/// <param name="TrainingFile">The file.</param>
/// <param name="Rows">Rows from the first.</param>
public sealed record TogetherPreviewRequest(string Model, string TrainingFile, int Rows)
{
    private const int DefaultRows = 5;

    /// <summary>Reads a request.</summary>
    /// <exception cref="Errors.ApiException">400 with every problem.</exception>
    public static TogetherPreviewRequest FromRequest(RequestObject request)
    {
        ArgumentNullException.ThrowIfNull(request);
        request.OneOf("training_method", "sft");
        if (request.Flag("train_on_inputs") == true)
        {
            request.Problems.Add("train_on_inputs", "train_on_inputs must be false here: the preview shows answers as what is learned.", "unsupported_parameter");
        }

        var read = new TogetherPreviewRequest(
            request.RequireText("model", 512), request.RequireText("training_file", 128), request.Int32("top_k", 1, CheckFile.MostPreviewRows) ?? DefaultRows);
        request.RefuseUnknownKeys();
        request.Problems.ThrowIfAny();
        return read;
    }
}
