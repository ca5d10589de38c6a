using LangTrain.Modeling;
namespace LangTrain.Inference.Engine;
internal sealed class DecoderTokenModel(DecoderModel model, EngineOptions options) : ITokenModel
{
    public int VocabularySize => 0; public int SlotCount => 0; public int SlotTokens => 0;
    public void Truncate(int slot, int length) {} public void CopyPrefix(int from, int to, int length) {}
    public void Forward(IReadOnlyList<StepRow> rows, ILogitsSink sink) {}
    public void Dispose() {_ = model; _=options;}
}
