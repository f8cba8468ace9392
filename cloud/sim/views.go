package sim

// View lets look see the state as it truly is now, whatever reads may still show. Look must not keep it.
func (s *Sim) View(look func(State)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now := s.state.State
	now.Now = s.clock.Now()
	look(now)
}

func find[T any](s *Sim, look func(State) (T, bool)) (found T, ok bool) {
	s.View(func(st State) { found, ok = look(st) })
	return found, ok
}

// Servers returns all servers of Huawei Cloud, in the world's order.
func (s *Sim) Servers() (all []Server) {
	s.View(func(st State) { all = st.ECS.Servers(st.Now) })
	return all
}

// Server returns the server of Huawei Cloud with this id.
func (s *Sim) Server(id string) (Server, bool) {
	return find(s, func(st State) (Server, bool) { return st.ECS.Server(id, st.Now) })
}

// Groups returns all server groups.
func (s *Sim) Groups() (all []Group) {
	s.View(func(st State) { all = st.ECS.Groups(st.Now) })
	return all
}

// Group returns the server group with this id.
func (s *Sim) Group(id string) (Group, bool) {
	return find(s, func(st State) (Group, bool) { return st.ECS.Group(id, st.Now) })
}

// Node returns the node of a cluster that this server is, or is about to be.
func (s *Sim) Node(server string) (Node, bool) {
	return find(s, func(st State) (Node, bool) { return st.CCE.Node(server, st.Now) })
}

// Instances returns all Alibaba instances, in the world's order.
func (s *Sim) Instances() (all []Instance) {
	s.View(func(st State) { all = st.Alibaba.Instances(st.Now) })
	return all
}

// Instance returns the Alibaba instance with this id.
func (s *Sim) Instance(id string) (Instance, bool) {
	return find(s, func(st State) (Instance, bool) { return st.Alibaba.Instance(id, st.Now) })
}

// NetworkInterface returns the Alibaba network interface with this id.
func (s *Sim) NetworkInterface(id string) (NetworkInterface, bool) {
	return find(s, func(st State) (NetworkInterface, bool) { return st.Alibaba.NetworkInterface(id, st.Now) })
}

// SecurityGroup returns the Alibaba security group with this id.
func (s *Sim) SecurityGroup(id string) (SecurityGroup, bool) {
	return find(s, func(st State) (SecurityGroup, bool) { return st.Alibaba.SecurityGroup(id, st.Now) })
}

// Resource returns the Alibaba resource of this type, as JoinResourceGroup names it, and id.
func (s *Sim) Resource(resourceType, id string) (Resource, bool) {
	return find(s, func(st State) (Resource, bool) { return st.Alibaba.Resource(resourceType, id, st.Now) })
}

// EDASMember returns the member of an EDAS cluster that this Alibaba instance is, or is about to be.
func (s *Sim) EDASMember(instance string) (EDASMember, bool) {
	return find(s, func(st State) (EDASMember, bool) { return st.Alibaba.EDASMember(instance, st.Now) })
}

// ContainerNode returns the node of a container cluster that this Alibaba instance is, or is about to be.
func (s *Sim) ContainerNode(instance string) (ContainerNode, bool) {
	return find(s, func(st State) (ContainerNode, bool) { return st.Alibaba.ContainerNode(instance, st.Now) })
}
