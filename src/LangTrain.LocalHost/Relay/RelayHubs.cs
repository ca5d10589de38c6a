using System.Collections.Concurrent;

namespace LangTrain.LocalHost.Relay;

/// <summary>Who is connected, and who is in which group. Thread-safe.</summary>
internal sealed class RelayHubs
{
    private readonly ConcurrentDictionary<(string Hub, string Id), RelayConnection> _connections = new();
    private readonly Dictionary<(string Hub, string Group), HashSet<RelayConnection>> _groups = [];
    private readonly Lock _lock = new();

    public void Add(RelayConnection connection)
    {
        _connections[(connection.Hub, connection.Id)] = connection;
        foreach (var group in connection.FirstGroups)
        {
            Join(connection, group);
        }
    }

    public void Remove(RelayConnection connection)
    {
        _connections.TryRemove((connection.Hub, connection.Id), out _);
        lock (_lock)
        {
            foreach (var (key, members) in _groups.Where(pair => pair.Value.Contains(connection)).ToList())
            {
                members.Remove(connection);
                if (members.Count == 0)
                {
                    _groups.Remove(key);
                }
            }
        }
    }

    public RelayConnection? Find(string hub, string id) => _connections.GetValueOrDefault((hub, id));

    public IReadOnlyList<RelayConnection> All(string hub) => [.. _connections.Values.Where(connection => connection.Hub == hub)];

    public IReadOnlyList<RelayConnection> InGroup(string hub, string group)
    {
        lock (_lock)
        {
            return _groups.TryGetValue((hub, group), out var members) ? [.. members] : [];
        }
    }

    public void Join(RelayConnection connection, string group)
    {
        lock (_lock)
        {
            var key = (connection.Hub, group);
            if (!_groups.TryGetValue(key, out var members))
            {
                _groups[key] = members = [];
            }

            members.Add(connection);
        }
    }

    public void Leave(RelayConnection connection, string group)
    {
        lock (_lock)
        {
            if (_groups.TryGetValue((connection.Hub, group), out var members) && members.Remove(connection) && members.Count == 0)
            {
                _groups.Remove((connection.Hub, group));
            }
        }
    }

    /// <summary>Sends to everybody in a group but the named ones.</summary>
    public void SendToGroup(string hub, string group, RelayMessage message, IReadOnlyCollection<string> excluded)
    {
        foreach (var connection in InGroup(hub, group).Where(connection => !excluded.Contains(connection.Id)))
        {
            connection.Send(message);
        }
    }
}
