namespace LangTrain.LocalHost.Durable;

/// <summary>A replay did something else than the history says: the orchestrator's code is not deterministic, or was changed under a running instance.</summary>
internal sealed class NonDeterministicOrchestrationException(string message) : Exception(message);
