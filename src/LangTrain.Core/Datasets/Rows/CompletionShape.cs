using System.Text.Json;

namespace LangTrain.Core.Datasets.Rows;

/// <summary><c>{"prompt","completion"}</c>.</summary>
internal sealed class CompletionShape : RowShape
{
    public override string Name => "completion";

    public override string CanonicalName => "completion";

    public override IReadOnlySet<string> Keys { get; } = new HashSet<string> { "prompt", "completion" };

    public override bool Matches(JsonElement row) => Has(row, "prompt") || Has(row, "completion");

    public override void Write(JsonElement row, RowOutput output)
    {
        var prompt = RequireText(row, "prompt", output, "'prompt' is empty");
        var completion = RequireText(row, "completion", output, "'completion' is empty, so there is nothing to learn");
        if (prompt is not null && completion is not null)
        {
            output.Json.WriteStartObject();
            output.Text("prompt", prompt);
            output.Text("completion", completion);
            output.Json.WriteEndObject();
        }
    }
}
