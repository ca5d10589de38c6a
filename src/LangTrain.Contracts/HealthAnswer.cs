namespace LangTrain.Contracts;

/// <summary>Answer of <c>GET /health</c>.</summary>
/// <param name="Status"><c>ok</c>.</param>
/// <param name="Version">Version of the service.</param>
public sealed record HealthAnswer(string Status, string Version);
