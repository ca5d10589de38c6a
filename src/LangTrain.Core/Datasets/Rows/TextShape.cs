using System.Text.Json;

namespace LangTrain.Core.Datasets.Rows;

/// <summary><c>{"text"}</c>: continued pre-training.</summary>
internal sealed class TextShape : RowShape
{
    public override string Name => "text";

    public override string CanonicalName => "text";

    public override IReadOnlySet<string> Keys { get; } = new HashSet<string> { "text" };

    public override bool Matches(JsonElement row) => Has(row, "text");

    public override void Write(JsonElement row, RowOutput output)
    {
        if (RequireText(row, "text", output, "'text' is empty") is { } text)
        {
            output.Json.WriteStartObject();
            output.Text("text", text);
            output.Json.WriteEndObject();
        }
    }
}
