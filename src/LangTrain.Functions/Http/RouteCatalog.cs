using LangTrain.Functions.OpenApi;

namespace LangTrain.Functions.Http;

/// <summary>Every route of the app with its methods, without the prefix. A test holds it against the function classes.</summary>
/// <remarks>An endpoint for clients is an <see cref="ApiOperation"/> in the <c>…Operations</c> of its feature, and thereby here and in the API's description.</remarks>
internal static class RouteCatalog
{
    // What no client calls: the dashboard's files, and what Web PubSub tells.
    private static readonly (string Route, string Method)[] Undescribed =
    [
        ("dashboard/{*path}", "GET"),
        ("hubs/jobs/events", "OPTIONS"),
        ("hubs/jobs/events", "POST"),
    ];

    /// <summary>Routes as in the function classes, and the methods that each knows.</summary>
    public static IReadOnlyList<(string Route, IReadOnlyList<string> Methods)> All { get; } =
    [
        .. ApiOperations.Tags.SelectMany(tag => tag.Operations).Select(operation => (operation.Route, operation.Method)).Concat(Undescribed)
            .GroupBy(one => one.Route, (route, ones) => (route, (IReadOnlyList<string>)[.. ones.Select(one => one.Method).Distinct()])),
    ];

    /// <summary>The methods that a path knows; empty when there is no such path.</summary>
    /// <param name="path">Below the prefix, without a leading slash.</param>
    public static IReadOnlyList<string> MethodsOf(string path)
    {
        // Routing looks away from a slash at the end, and from no other.
        var parts = path.TrimEnd('/').Split('/');
        return [.. All.Where(entry => Fits(entry.Route.Split('/'), parts)).SelectMany(entry => entry.Methods).Distinct()];
    }

    private static bool Fits(string[] route, string[] path)
    {
        for (var i = 0; i < route.Length; i++)
        {
            if (route[i].StartsWith("{*", StringComparison.Ordinal))
            {
                return path.Length > i;
            }

            if (i >= path.Length || !(route[i][0] == '{' ? path[i].Length > 0 : route[i].Equals(path[i], StringComparison.OrdinalIgnoreCase)))
            {
                return false;
            }
        }

        return path.Length == route.Length;
    }
}
