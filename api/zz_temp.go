package api

var pageRoutes []route

func (s *Server) writeErrorPage(v *visit, err error) {}
func (s *Server) register(v *visit) error            { return nil }
func (s *Server) readRegistration(v *visit) error    { return nil }
func (s *Server) updateRegistration(v *visit) error  { return nil }
func (s *Server) deleteRegistration(v *visit) error  { return nil }
