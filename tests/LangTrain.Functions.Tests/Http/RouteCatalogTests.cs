using System.Reflection;
using LangTrain.Functions.Http;
using LangTrain.Functions.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.Tests.Http;

public sealed class RouteCatalogTests
{
    private static readonly Type[] Bindable =
        [typeof(HttpRequest), typeof(DurableTaskClient), typeof(TaskOrchestrationContext), typeof(TimerInfo), typeof(FunctionContext), typeof(CancellationToken)];

    private static IEnumerable<MethodInfo> Functions => typeof(FunctionsAppSetup).Assembly.GetTypes()
        .Where(type => type.Namespace?.StartsWith("LangTrain.Functions", StringComparison.Ordinal) == true)
        .SelectMany(type => type.GetMethods()).Where(method => method.GetCustomAttribute<FunctionAttribute>() is not null);

    [Fact]
    public void Catalog_names_every_route_of_the_function_classes()
    {
        var inCode = Functions
            .SelectMany(method => method.GetParameters())
            .Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>())
            .Where(trigger => trigger is not null && trigger.Route != "{*path}")
            .SelectMany(trigger => trigger!.Methods!.Select(method => $"{method.ToUpperInvariant()} {trigger.Route}"));
        var inCatalog = RouteCatalog.All.SelectMany(entry => entry.Methods.Select(method => $"{method} {entry.Route}"));
        Assert.Equal(inCode.Order(StringComparer.Ordinal), inCatalog.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_slash_at_the_end_leads_to_the_same_place_and_one_more_before_it_nowhere()
    {
        Assert.Equal(RouteCatalog.MethodsOf("files"), RouteCatalog.MethodsOf("files/"));
        Assert.Empty(RouteCatalog.MethodsOf("/files"));
    }

    [Fact]
    public void Operations_are_named_like_their_functions()
    {
        var inCode = Functions
            .SelectMany(method => method.GetParameters(), (method, parameter) => (method.GetCustomAttribute<FunctionAttribute>()!.Name, parameter.GetCustomAttribute<HttpTriggerAttribute>()))
            .Where(pair => pair.Item2 is not null)
            .SelectMany(pair => (pair.Item2!.Methods ?? []).Select(method => $"{method.ToUpperInvariant()} {pair.Item2!.Route} {pair.Name}"));
        var described = ApiOperations.Tags.SelectMany(tag => tag.Operations).Select(operation => $"{operation.Method} {operation.Route} {operation.Id}");
        Assert.Empty(described.Except(inCode));
    }

    [Fact]
    public void Functions_take_only_what_both_hosts_can_bind()
    {
        var bad = Functions.SelectMany(method => method.GetParameters().Where(parameter => !IsAllowed(method, parameter))
            .Select(parameter => $"{method.DeclaringType!.Name}.{method.Name}({parameter.ParameterType.Name} {parameter.Name})"));
        Assert.Empty(bad);
    }

    [Fact]
    public void Http_functions_give_results()
    {
        var bad = Functions
            .Where(method => method.GetParameters().Any(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>() is not null))
            .Where(method => method.ReturnType != typeof(IResult) && method.ReturnType != typeof(Task<IResult>));
        Assert.Empty(bad);
    }

    private static bool IsAllowed(MethodInfo method, ParameterInfo parameter)
    {
        if (Bindable.Contains(parameter.ParameterType))
        {
            return true;
        }

        // A trigger's own value: activity input or queue message, a record of ours.
        if (parameter.GetCustomAttributes().Any(attribute => attribute is ActivityTriggerAttribute or QueueTriggerAttribute))
        {
            return parameter.ParameterType.Namespace?.StartsWith("LangTrain.", StringComparison.Ordinal) == true;
        }

        // A value of the route.
        var route = method.GetParameters().Select(one => one.GetCustomAttribute<HttpTriggerAttribute>()?.Route).FirstOrDefault(one => one is not null);
        return parameter.ParameterType == typeof(string) && route is not null
            && (route.Contains($"{{{parameter.Name}}}", StringComparison.Ordinal) || route.Contains($"{{*{parameter.Name}}}", StringComparison.Ordinal));
    }
}
