using LangTrain.Contracts.Models;

namespace LangTrain.Contracts.Generation;

/// <summary>What a worker is to load to answer for a model: a base, and an adapter over it where there is one.</summary>
/// <param name="ModelId">Id the client asked for; for messages and metrics.</param>
/// <param name="Base">Full weights.</param>
/// <param name="Adapter">PEFT folder over <paramref name="Base"/>, or null.</param>
/// <param name="Quantization"><c>nf4</c> to hold the base in 4 bits, or null.</param>
public sealed record GenerationTarget(string ModelId, ModelSource Base, ModelSource? Adapter = null, string? Quantization = null);
