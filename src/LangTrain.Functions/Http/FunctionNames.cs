using System.Collections.Frozen;

namespace LangTrain.Functions.Http;

/// <summary>Names of functions that middleware treats in a way of their own. Every other HTTP function needs a key.</summary>
internal static class FunctionNames
{
    /// <summary><c>GET fine-tunes/{id}/stream</c>: the one place where a key may stand in the query, since a WebSocket client can set no header.</summary>
    public const string StreamFineTune = "StreamFineTune";

    /// <summary><c>PUT files/{id}/content</c>: a ticket stands in the query in place of a key, since storage addresses take none either.</summary>
    public const string PutFileContent = "PutFileContent";

    /// <summary><c>GET health</c>.</summary>
    public const string Health = "Health";

    /// <summary><c>GET openapi.json</c>.</summary>
    public const string OpenApi = "OpenApi";

    /// <summary><c>GET docs</c>.</summary>
    public const string Docs = "Docs";

    /// <summary>Files of the dashboard.</summary>
    public const string Dashboard = "Dashboard";

    /// <summary><c>POST dashboard-sessions</c>: a one-time ticket for a key.</summary>
    public const string RedeemTicket = "RedeemTicket";

    /// <summary><c>GET dashboard-sessions</c>: the ways of signing in.</summary>
    public const string SignInWays = "SignInWays";

    /// <summary><c>POST dashboard-sessions/entra</c>: for a key, whoever Azure's built-in authentication says is there.</summary>
    public const string SignInWithEntra = "SignInWithEntra";

    /// <summary><c>OPTIONS hubs/jobs/events</c>: Web PubSub asks whether its events are wanted.</summary>
    public const string AllowRelayEvents = "AllowRelayEvents";

    /// <summary><c>POST hubs/jobs/events</c>: an event of Web PubSub, signed with its own key.</summary>
    public const string HearRelayEvent = "HearRelayEvent";

    /// <summary>Everything that has no function.</summary>
    public const string Unknown = "Unknown";

    /// <summary>Functions that anybody may call.</summary>
    public static FrozenSet<string> Open { get; } = FrozenSet.ToFrozenSet([Health, OpenApi, Docs, Dashboard, RedeemTicket, SignInWays, SignInWithEntra, AllowRelayEvents, HearRelayEvent, Unknown]);
}
