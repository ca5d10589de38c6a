namespace LangTrain.Modeling.ChatTemplates;

/// <summary>A chat as tokens.</summary>
/// <param name="Ids">Token ids, the template's special tokens included.</param>
/// <param name="IsTrained">For each token whether it belongs to an answer of the assistant that is to be learned, the token that ends its turn included.</param>
public sealed record EncodedChat(int[] Ids, bool[] IsTrained);
