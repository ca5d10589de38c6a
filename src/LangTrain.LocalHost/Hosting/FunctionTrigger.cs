using Microsoft.Azure.Functions.Worker;

namespace LangTrain.LocalHost.Hosting;

/// <summary>What starts a function.</summary>
internal abstract record FunctionTrigger(string BindingType);

/// <summary>A request: its route below the prefix, and its methods (null for any).</summary>
internal sealed record HttpFunctionTrigger(string Route, IReadOnlyList<string>? Methods) : FunctionTrigger("httpTrigger");

/// <summary>A message on a queue.</summary>
internal sealed record QueueFunctionTrigger(string QueueName, string? Connection, Type MessageType) : FunctionTrigger("queueTrigger");

/// <summary>The clock.</summary>
internal sealed record TimerFunctionTrigger(TimerTriggerAttribute Timer) : FunctionTrigger("timerTrigger");

/// <summary>An orchestration by name.</summary>
internal sealed record OrchestrationFunctionTrigger(string Orchestration) : FunctionTrigger("orchestrationTrigger");

/// <summary>An activity by name, with the type of its input.</summary>
internal sealed record ActivityFunctionTrigger(string Activity, Type InputType) : FunctionTrigger("activityTrigger");
