using System.Reflection;
using LangTrain.LocalHost.Processes;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.DurableTask;

namespace LangTrain.LocalHost.Hosting;

/// <summary>All functions of an app, found by reflection. Whatever cannot be bound is reported at once, before anything runs.</summary>
internal sealed class FunctionCatalog
{
    private FunctionCatalog(IReadOnlyList<LocalFunction> functions) => Functions = functions;

    /// <summary>The functions, in the order of their names.</summary>
    public IReadOnlyList<LocalFunction> Functions { get; }

    /// <summary>The functions with a kind of trigger.</summary>
    public IEnumerable<(LocalFunction Function, T Trigger)> With<T>()
        where T : FunctionTrigger =>
        Functions.Where(function => function.Trigger is T).Select(function => (function, (T)function.Trigger));

    /// <summary>Reads the functions of an assembly.</summary>
    /// <exception cref="StartFailedException">One line a problem: every parameter that cannot be bound, every name used twice.</exception>
    public static FunctionCatalog Of(params IEnumerable<Type> types)
    {
        var problems = new List<string>();
        var functions = types
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Select(method => (Method: method, Attribute: method.GetCustomAttribute<FunctionAttribute>()))
            .Where(found => found.Attribute is not null)
            .Select(found => Read(found.Attribute!.Name, found.Method, problems))
            .OfType<LocalFunction>()
            .OrderBy(function => function.Name, StringComparer.Ordinal)
            .ToList();
        problems.AddRange(functions.GroupBy(function => function.Name, StringComparer.OrdinalIgnoreCase)
            .Where(group => group.Count() > 1)
            .Select(group => $"{group.Key}: {group.Count()} functions have this name"));
        problems.AddRange(SameRoutes(functions));
        return problems.Count == 0
            ? new FunctionCatalog(functions)
            : throw new StartFailedException("Some functions cannot run:\n  " + string.Join("\n  ", problems));
    }

    private static LocalFunction? Read(string name, MethodInfo method, List<string> problems)
    {
        var triggers = method.GetParameters()
            .Select(parameter => (Parameter: parameter, Attribute: parameter.GetCustomAttribute<TriggerBindingAttribute>()))
            .Where(found => found.Attribute is not null)
            .ToList();
        if (triggers is not [var (parameter, attribute)])
        {
            problems.Add($"{name}: {triggers.Count} parameters are triggers; one must be");
            return null;
        }

        var before = problems.Count;
        var trigger = TriggerOf(name, parameter, attribute!);
        if (ExpectedType(trigger) is { } expected && parameter.ParameterType != expected)
        {
            problems.Add($"{name}: the trigger '{parameter.Name}' is a {parameter.ParameterType.Name}; it must be a {expected.Name}");
        }

        if (!IsAllowedResult(trigger, method.ReturnType))
        {
            problems.Add($"{name}: gives a {method.ReturnType.Name}, which this trigger cannot take");
        }

        var bindings = method.GetParameters()
            // By position: reflection may give another object for the same parameter when two threads look first.
            .Select(one => one.Position == parameter.Position
                ? new ParameterBinding(one.Name!, trigger.BindingType, context => context.TriggerValue)
                : ParameterBindings.Other(one, trigger))
            .ToList();
        problems.AddRange(bindings.Zip(method.GetParameters()).Where(pair => pair.First is null)
            .Select(pair => $"{name}: parameter '{pair.Second.Name}' of type {pair.Second.ParameterType.Name} cannot be bound"));
        return problems.Count > before ? null : new LocalFunction(name, method, trigger, bindings!);
    }

    private static FunctionTrigger TriggerOf(string name, ParameterInfo parameter, TriggerBindingAttribute attribute) => attribute switch
    {
        HttpTriggerAttribute http => new HttpFunctionTrigger((http.Route ?? name).Trim('/'), http.Methods is { Length: > 0 } ? http.Methods : null),
        QueueTriggerAttribute queue => new QueueFunctionTrigger(queue.QueueName, queue.Connection, parameter.ParameterType),
        TimerTriggerAttribute timer => new TimerFunctionTrigger(timer),
        OrchestrationTriggerAttribute orchestration => new OrchestrationFunctionTrigger(orchestration.Orchestration ?? name),
        ActivityTriggerAttribute activity => new ActivityFunctionTrigger(activity.Activity ?? name, parameter.ParameterType),
        _ => throw new StartFailedException($"{name}: this host knows no {attribute.GetType().Name}"),
    };

    private static Type? ExpectedType(FunctionTrigger trigger) => trigger switch
    {
        HttpFunctionTrigger => typeof(HttpRequest),
        TimerFunctionTrigger => typeof(TimerInfo),
        OrchestrationFunctionTrigger => typeof(TaskOrchestrationContext),
        _ => null,
    };

    private static bool IsAllowedResult(FunctionTrigger trigger, Type type)
    {
        var value = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Task<>) ? type.GetGenericArguments()[0] : type;
        return trigger switch
        {
            HttpFunctionTrigger => value == typeof(Task) || typeof(IResult).IsAssignableFrom(value),
            OrchestrationFunctionTrigger => typeof(Task).IsAssignableFrom(type),
            QueueFunctionTrigger or TimerFunctionTrigger => value == typeof(Task) || value == typeof(void),
            _ => true,
        };
    }

    private static IEnumerable<string> SameRoutes(IEnumerable<LocalFunction> functions) => functions
        .Where(function => function.Trigger is HttpFunctionTrigger)
        .SelectMany(function => ((HttpFunctionTrigger)function.Trigger).Methods?.Select(Call) ?? [Call("any method")],
            (function, call) => (function.Name, Call: string.Create(null, $"{call} {((HttpFunctionTrigger)function.Trigger).Route}")))
        .GroupBy(pair => pair.Call, StringComparer.OrdinalIgnoreCase)
        .Where(group => group.Count() > 1)
        .Select(group => $"{string.Join(", ", group.Select(pair => pair.Name))}: all take '{group.Key}'");

    private static string Call(string method) => method.ToUpperInvariant();
}
