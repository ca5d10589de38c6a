using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace LangTrain.LocalHost.Hosting;

/// <summary>Binds what a function takes besides its trigger. The list is closed: the Azure host must be able to bind the same.</summary>
internal static class ParameterBindings
{
    private static readonly HashSet<Type> RouteTypes = [typeof(string), typeof(int), typeof(long), typeof(Guid), typeof(bool)];

    /// <summary>The binding of a parameter, or null where there is none.</summary>
    public static ParameterBinding? Other(ParameterInfo parameter, FunctionTrigger trigger)
    {
        var name = parameter.Name!;
        var type = parameter.ParameterType;
        if (type == typeof(FunctionContext))
        {
            return new ParameterBinding(name, null, context => context);
        }

        if (type == typeof(CancellationToken))
        {
            return trigger is OrchestrationFunctionTrigger ? null : new ParameterBinding(name, null, context => context.CancellationToken);
        }

        if (parameter.GetCustomAttribute<DurableClientAttribute>() is not null)
        {
            return type == typeof(DurableTaskClient) && trigger is not OrchestrationFunctionTrigger
                ? new ParameterBinding(name, "durableClient", context => context.InstanceServices.GetRequiredService<DurableTaskClient>())
                : null;
        }

        if (trigger is HttpFunctionTrigger http && IsInRoute(http.Route, name) && RouteTypes.Contains(Nullable.GetUnderlyingType(type) ?? type))
        {
            return new ParameterBinding(name, null, context => RouteValue(context, name, type));
        }

        return null;
    }

    private static bool IsInRoute(string route, string name) =>
        RoutePatternFactory.Parse(route).Parameters.Any(parameter => string.Equals(parameter.Name, name, StringComparison.OrdinalIgnoreCase));

    private static object? RouteValue(LocalFunctionContext context, string name, Type type)
    {
        if (context.GetHttpContext()!.GetRouteValue(name) is not string text)
        {
            return null;
        }

        try
        {
            return type == typeof(string) ? text : TypeDescriptor.GetConverter(type).ConvertFromString(null, CultureInfo.InvariantCulture, text);
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException or NotSupportedException)
        {
            throw new BadHttpRequestException($"'{text}' in the path is not a {type.Name}.", failure);
        }
    }
}
