namespace LangTrain.Inference.Sampling;

/// <summary>A model gave logits that are no distribution; fails the row that it happened to, not the batch.</summary>
public sealed class NonFiniteLogitsException() : Exception("The model produced logits that are not finite; its weights or its adapter are damaged.");
